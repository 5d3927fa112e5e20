/** Why a receipt proves nothing. Codes are forever; texts may be improved. */

export type Language = 'zh' | 'en'

const TEXTS = {
  'network.invalid': ['网络身份文件无效', 'the network identity is not valid'],
  'receipt.too_large': ['回执超过 1 MiB', 'the receipt is larger than 1 MiB'],
  'receipt.unknown_format': ['回执的格式或版本不同', 'the receipt is of another format or version'],
  'receipt.malformed': ['回执已损坏', 'the receipt is damaged'],
  'transaction.too_large': ['交易超过 65,536 字节', 'the transaction is larger than 65,536 bytes'],
  'transaction.malformed': ['交易已损坏', 'the transaction is damaged'],
  'transaction.not_deterministic': ['交易不是确定性 CBOR 编码', 'the transaction is not deterministic CBOR'],
  'transaction.malformed_key': ['交易密钥不是受支持曲线上的公钥', 'the key of the transaction is not a public key of a supported curve'],
  'transaction.unknown_algorithm': ['交易签名算法未知或与密钥不符', 'the signature algorithm is unknown, or not that of the key'],
  'transaction.wrong_chain': ['交易属于另一个网络', 'the transaction is for another network'],
  'transaction.bad_signature': ['交易签名无效', 'the signature of the transaction is not valid'],
  'outcome.malformed': ['执行结果已损坏', 'the outcome is damaged'],
  'outcome.of_other': ['执行结果属于另一笔交易', 'the outcome is that of another transaction'],
  'outcome.contradicts': ['执行结果为拒绝，却带有事件', 'the outcome is a refusal and yet has events'],
  'handover.malformed': ['验证节点交接：其中一部分已损坏', 'a handover between validators: a part of it is damaged'],
  'handover.other_network': ['验证节点交接：属于另一个网络', 'a handover between validators: it is of another network'],
  'handover.order': ['验证节点交接：不晚于前一次交接', 'a handover between validators: it is not later than the handover before it'],
  'handover.certificate_of_other': ['验证节点交接：终局证书属于另一个区块', 'a handover between validators: its certificate is for another block'],
  'handover.signers': ['验证节点交接：终局证书的签名者不是按序互异的验证节点', 'a handover between validators: the signers are not distinct validators in ascending order'],
  'handover.no_quorum': ['验证节点交接：终局证书的签名未达法定数量', 'a handover between validators: fewer than a quorum of the validators signed'],
  'handover.bad_signature': ['验证节点交接：终局证书中有验证节点的签名无效', 'a handover between validators: the signature of a validator is not valid'],
  'handover.other_validators': ['验证节点交接：区块所定的是另一组验证节点', 'a handover between validators: its block commits to other validators'],
  'handover.validators': ['验证节点交接：所列验证节点不能接任', 'a handover between validators: its validators are none that can follow'],
  'header.malformed': ['区块头已损坏', 'a block header is damaged'],
  'header.unknown_version': ['区块头的协议版本不为本验证器所知', 'a block header has a protocol version that this verifier does not know'],
  'header.other_network': ['区块头属于另一个网络', 'a block header is of another network'],
  'header.unknown_epoch': ['区块头所属任期的验证节点未在回执中给出', 'a block header is of an epoch whose validators this receipt does not show'],
  'header.unknown_proposer': ['出块者不是该网络的验证节点', 'a block was proposed by a key that is no validator of the network'],
  'header.broken_chain': ['区块头前后不衔接', 'the block headers do not follow one another'],
  'proof.transaction': ['交易不在该区块中', 'the transaction is not in the block'],
  'proof.outcome': ['执行结果不在该区块中', 'the outcome is not in the block'],
  'certificate.malformed': ['终局证书已损坏', 'the certificate of finality is damaged'],
  'certificate.of_other': ['终局证书属于另一个区块', 'the certificate of finality is for another block'],
  'certificate.signers': ['终局证书的签名者不是按序互异的验证节点', 'the signers of the certificate are not distinct validators in ascending order'],
  'certificate.no_quorum': ['终局证书的签名未达法定数量', 'fewer than a quorum of the validators signed the certificate'],
  'certificate.bad_signature': ['终局证书中有验证节点的签名无效', 'the signature of a validator in the certificate is not valid'],
  'deposit.malformed': ['存证内容的结构不为本验证器所知', 'the deposit is not of a shape that this verifier knows'],
  'entry.without_batch': ['回执带有批量条目，但其交易不是批量存证', 'the receipt shows a batch entry, but its transaction deposits no batch'],
  'entry.malformed': ['批量条目已损坏', 'the batch entry is damaged'],
  'entry.not_in_batch': ['该条目不在已存证的批次中', 'the entry is not in the deposited batch'],
  'chunks.without_file': ['回执列有分块，但并非单个文件的存证', 'the receipt lists chunks, but deposits no single file'],
  'chunks.of_other': ['所列分块不属于已存证的文件', 'the listed chunks are not those of the deposited file'],
} as const satisfies Record<string, readonly [zh: string, en: string]>

export type RefusalCode = keyof typeof TEXTS

export const refusalText = (code: RefusalCode, language: Language): string => TEXTS[code][language === 'zh' ? 0 : 1]

/** Thrown when a receipt proves nothing. */
export class Refused extends Error {
  override readonly name = 'Refused'

  constructor(readonly code: RefusalCode) {
    super(refusalText(code, 'en'))
  }

  text(language: Language): string {
    return refusalText(this.code, language)
  }
}

/** Refuses with `code` unless `condition` holds. */
export function demand(condition: boolean, code: RefusalCode): asserts condition {
  if (!condition) throw new Refused(code)
}

/** Runs a decoder, and refuses with `code` whatever it cannot read. */
export function readOr<T>(code: RefusalCode, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(code)
  }
}
