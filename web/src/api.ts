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

/** A failure the gateway explained (problem+json), or that it could not be reached. */
export class Failure extends Error {
  constructor(readonly zh: string, readonly en: string, readonly code?: string) {
    super(en);
  }
}

async function get(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(path, init).catch(() => {
    throw new Failure('无法连接节点。', 'The node cannot be reached.');
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    if (problem.code === LACKING) {
      throw new Failure(`${problem.zh}；${problem.remedy_zh}。`, `${problem.en}: ${problem.remedy_en}.`, problem.code);
    }
    throw new Failure(problem.zh ?? `节点答复 ${response.status}`, problem.en ?? `The node answered ${response.status}`);
  }
  return response;
}

export async function diagnosis(): Promise<{ moving: boolean; findings: Finding[] }> {
  return (await get('/v1/diagnosis')).json();
}

export async function network(): Promise<string> {
  return (await get('/v1/network')).text();
}

export async function check(sha256: string, size: number, id?: string): Promise<CheckAnswer> {
  const body = JSON.stringify({ sha256, size, ...(id ? { id } : {}) });
  return (await get('/v1/evidence/check', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
}

export async function evidence(id: string): Promise<EvidenceView> {
  return (await get(`/v1/evidence/${encodeURIComponent(id)}`)).json();
}

export async function receipt(id: string): Promise<Uint8Array> {
  return new Uint8Array(await (await get(`/v1/evidence/${encodeURIComponent(id)}/receipt`)).arrayBuffer());
}

export function certificateUrl(id: string): string {
  return `/v1/evidence/${encodeURIComponent(id)}/certificate.pdf`;
}

export async function blocks(): Promise<BlockView[]> {
  const list = await (await get('/v1/blocks?limit=8')).json();
  return list.items;
}
