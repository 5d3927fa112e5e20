/** What the page asks of the gateway. */

export interface EvidenceView {
  id: string;
  transaction: string;
  height: number;
  time_ms: number;
  organisation: string;
  organisation_name: string;
  status: string;
  batch_count?: number;
  entry?: number;
}

export interface CheckAnswer {
  answer: 'verified' | 'not_deposited' | 'mismatch';
  zh: string;
  en: string;
  evidence: EvidenceView[];
  differing: string[];
}

export interface BlockView {
  height: number;
  time_ms: number;
  transactions: number;
}

export interface Finding {
  severity: 'blocking' | 'warning';
  code: string;
  zh: string;
  en: string;
  remedy_zh: string;
  remedy_en: string;
}

/** The code by which a node says that it cannot tell whether a file is deposited. */
export const LACKING = 'batch.entries_lacking';
/** The codes by which it says that nothing has the number, and that a text is no number at all. */
export const NO_SUCH_NUMBER = 'query.evidence_not_found';
export const NO_NUMBER = ['request.malformed_path', 'request.unacceptable_body'];
/** The page's own code for a node that does not answer. */
export const AWAY = 'page.away';

/** A failure the gateway explained (problem+json), or that it could not be reached. */
export class Failure extends Error {
  constructor(readonly zh: string, readonly en: string, readonly code?: string) {
    super(en);
  }
}

/** A node that has not answered in full by then is away, as far as the page can tell. */
const ANSWER_MS_MAX = 10_000;

async function get<T>(path: string, read: (response: Response) => Promise<T>, init: RequestInit = {}): Promise<T> {
  const away = (): never => {
    throw new Failure('无法连接节点。', 'The node cannot be reached.', AWAY);
  };
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch(away);
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    if (problem.code === LACKING) {
      throw new Failure(`${problem.zh}；${problem.remedy_zh}。`, `${problem.en}: ${problem.remedy_en}.`, problem.code);
    }
    throw new Failure(problem.zh ?? `节点答复 ${response.status}`, problem.en ?? `The node answered ${response.status}`, problem.code);
  }
  return read(response).catch(away);
}

const json = (response: Response): Promise<any> => response.json();

export async function diagnosis(): Promise<{ moving: boolean; findings: Finding[] }> {
  return get('/v1/diagnosis', json);
}

export async function network(): Promise<string> {
  return get('/v1/network', (response) => response.text());
}

/** What a deposit records of a file, as the check asks for it. */
export interface FileAsked {
  sha256: string;
  sm3: string;
  size: number;
  chunks_root: string;
}

export async function check(file: FileAsked, id?: string): Promise<CheckAnswer> {
  const body = JSON.stringify({ ...file, ...(id ? { id } : {}) });
  return get('/v1/evidence/check', json, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

export async function evidence(id: string): Promise<EvidenceView> {
  return get(`/v1/evidence/${encodeURIComponent(id)}`, json);
}

export async function receipt(id: string): Promise<Uint8Array> {
  return new Uint8Array(await get(`/v1/evidence/${encodeURIComponent(id)}/receipt`, (response) => response.arrayBuffer()));
}

export function certificateUrl(id: string): string {
  return `/v1/evidence/${encodeURIComponent(id)}/certificate.pdf`;
}

export async function blocks(): Promise<BlockView[]> {
  return (await get('/v1/blocks?limit=8', json)).items;
}
