//! The gateway's own errors. What modules refuse has the modules' codes; `/v1/errors` lists both.

/// An error as `/v1/errors` lists it.
#[derive(Clone, Copy, Debug)]
pub struct ErrorEntry {
    /// The stable code.
    pub code: &'static str,
    /// HTTP status of a request that fails by it.
    pub status: u16,
    /// What the matter is, in English.
    pub en: &'static str,
    /// What the matter is, in Chinese.
    pub zh: &'static str,
    /// What to do next, in English.
    pub remedy_en: &'static str,
    /// What to do next, in Chinese.
    pub remedy_zh: &'static str,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

macro_rules! errors {
    ($($variant:ident = $code:literal, $status:literal, retry: $retry:literal,
        $en:literal, $zh:literal, $remedy_en:literal, $remedy_zh:literal;)+) => {
        /// An error of the gateway itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $en] $variant,)+
        }

        impl ErrorCode {
            /// Every error, in the order of the catalogue.
            pub const ALL: &'static [ErrorCode] = &[$(Self::$variant,)+];

            /// Its entry in the catalogue.
            pub fn entry(self) -> ErrorEntry {
                match self {
                    $(Self::$variant => ErrorEntry {
                        code: $code, status: $status, en: $en, zh: $zh,
                        remedy_en: $remedy_en, remedy_zh: $remedy_zh, retry: $retry,
                    },)+
                }
            }
        }
    };
}

errors! {
    NoSuchPath = "request.no_such_path", 404, retry: false,
        "there is nothing at this address", "该地址没有任何内容",
        "check the path against /openapi.json", "请对照 /openapi.json 检查路径";
    MethodNotAllowed = "request.method_not_allowed", 405, retry: false,
        "this address does not take this method", "该地址不支持此请求方法",
        "use a method named in the Allow header", "请使用 Allow 响应头列出的方法";
    NotAcceptable = "request.not_acceptable", 406, retry: false,
        "the answer is not available in any form that Accept names", "无法以 Accept 所列的任何格式作答",
        "ask for a media type that the detail names", "请改为请求说明中列出的媒体类型";
    UnsupportedMediaType = "request.unsupported_media_type", 415, retry: false,
        "the body is of a media type that is not taken here", "此处不接受该媒体类型的请求体",
        "send the media type that the detail names", "请改用说明中列出的媒体类型";
    BodyTooLarge = "request.body_too_large", 413, retry: false,
        "the body is too large", "请求体过大",
        "send less at once", "请分多次发送";
    BodyTooSlow = "request.body_too_slow", 408, retry: true,
        "the body comes too slowly and is not waited for", "请求体传输过慢，不再等待",
        "send it again over a better connection, or less at once", "请在网络较好时重新发送，或分多次发送";
    TooManyTransactions = "request.too_many_transactions", 422, retry: false,
        "more transactions in one request than are taken", "单次请求中的交易过多",
        "send at most 1,000 transactions in one request", "每次请求最多发送 1,000 笔交易";
    EmptyBody = "request.empty_body", 400, retry: false,
        "the body is empty", "请求体为空",
        "send what the address takes; see /openapi.json", "请按 /openapi.json 的说明发送内容";
    MalformedBody = "request.malformed_body", 400, retry: false,
        "the body cannot be read", "请求体无法解析",
        "correct what the detail names", "请按说明更正";
    UnacceptableBody = "request.unacceptable_body", 422, retry: false,
        "the body reads well, but says something that is not taken", "请求体可以解析，但内容不被接受",
        "correct the field that the detail names", "请更正说明所指的字段";
    MalformedPath = "request.malformed_path", 400, retry: false,
        "a part of the address is not of the expected form", "地址中的某一部分格式不对",
        "correct the part that the detail names", "请更正说明所指的部分";
    MalformedQuery = "request.malformed_query", 400, retry: false,
        "a query parameter is unknown, given twice, or not of the expected form", "查询参数未知、重复或格式不对",
        "correct the parameter that the detail names", "请更正说明所指的参数";
    MalformedCursor = "request.malformed_cursor", 400, retry: false,
        "the cursor is not one of this list", "游标不属于此列表",
        "use `next` of the former part unchanged, or leave the cursor out to start again",
        "请原样使用上一页的 next，或去掉游标从头开始";
    TimedOut = "request.timed_out", 503, retry: true,
        "the request took too long and was given up", "请求耗时过长，已放弃",
        "try again, with a smaller part if it is a list", "请重试；如为列表请减少每页数量";
    TooBusy = "request.too_busy", 503, retry: true,
        "too many requests are being served", "正在处理的请求过多",
        "try again after the seconds in Retry-After", "请在 Retry-After 所示秒数后重试";
    MempoolFull = "mempool.full", 429, retry: true,
        "the node has no room for more waiting transactions", "节点待处理的交易已满",
        "send the same bytes again after the seconds in Retry-After", "请在 Retry-After 所示秒数后重新发送同一内容";
    MempoolShareFull = "mempool.share_full", 429, retry: true,
        "the organisation holds its whole share of the waiting transactions", "该机构的待处理交易已达其份额",
        "send the same bytes again after the seconds in Retry-After", "请在 Retry-After 所示秒数后重新发送同一内容";
    NotReady = "node.not_ready", 503, retry: true,
        "the node is starting or catching up with the others", "节点正在启动或追赶其他节点",
        "try again later, or ask another node", "请稍后重试，或访问其他节点";
    Stopping = "node.stopping", 503, retry: true,
        "the node is going down", "节点正在停止",
        "ask another node", "请访问其他节点";
    Damaged = "node.damaged", 500, retry: false,
        "what is stored here failed its check and is not served", "本节点所存数据未通过校验，不予提供",
        "ask another node; its operator should look at /v1/status", "请访问其他节点；运维人员请查看 /v1/status";
    Internal = "node.internal", 500, retry: true,
        "the node failed to answer, by a fault of its own", "节点自身故障，未能作答",
        "try again, or ask another node; the operator finds the cause in the log", "请重试或访问其他节点；运维人员可在日志中查到原因";
    NoFonts = "certificate.no_fonts", 503, retry: true,
        "this node has no Chinese font to set certificates with", "本节点缺少制作证书所需的中文字体",
        "the operator installs fonts-noto-cjk or names a font in ZHULIAN_FONT; the receipt file proves the same without",
        "请运维人员安装 fonts-noto-cjk 或用 ZHULIAN_FONT 指定字体；回执文件具有同等证明力";
    TransactionNotFound = "query.transaction_not_found", 404, retry: true,
        "no finalised transaction has this id", "没有此编号的已确认交易",
        "check the id; a transaction that was just sent may still wait for its block", "请核对编号；刚提交的交易可能仍在等待入块";
    TransactionNotFinal = "query.transaction_not_final", 409, retry: true,
        "the transaction is not finalised", "交易尚未确认",
        "wait with ?wait=finalised on /v1/transactions/{id}, then ask again", "请先用 /v1/transactions/{id}?wait=finalised 等待，再行查询";
    BlockNotFound = "query.block_not_found", 404, retry: true,
        "no finalised block has this height", "没有此高度的已确认区块",
        "ask for a height that /v1/status names as reached", "请查询 /v1/status 所示高度以内的区块";
    BlockArchived = "query.block_archived", 410, retry: false,
        "the block was moved to this node's archive, which cannot be read now", "该区块已移入本节点的归档，目前无法读取",
        "ask another node; the operator mounts the archive that node.json names, or makes the receipt from its files with `zhulian archive receipt`",
        "请访问其他节点；运维人员可挂载 node.json 所指的归档目录，或用 zhulian archive receipt 直接从归档文件制作回执";
    EvidenceNotFound = "query.evidence_not_found", 404, retry: true,
        "no deposited evidence has this number", "没有此存证编号",
        "check the number, its last character guards against slips", "请核对存证编号，其末位为校验字符";
    EntryNotFound = "query.entry_not_found", 404, retry: true,
        "this node does not hold this entry of the batch", "本节点没有该批次的此条目",
        "upload the batch's entries to /v1/evidence/batches/{id}/entries, or check the number",
        "请将批次条目上传至 /v1/evidence/batches/{id}/entries，或核对编号";
    OrganisationNotFound = "query.organisation_not_found", 404, retry: true,
        "no organisation of this network has this code", "本网络没有此统一社会信用代码的机构",
        "check the 18 characters of the unified social credit code", "请核对 18 位统一社会信用代码";
    CaseNotFound = "query.case_not_found", 404, retry: true,
        "no case has this number", "没有此办件编号",
        "check the number, such as BJ20260105-000042", "请核对办件编号，例如 BJ20260105-000042";
    PackNotFound = "query.pack_not_found", 404, retry: true,
        "no rule pack has this id", "没有此规则包",
        "look it up in /v1/packs", "请在 /v1/packs 中查找";
    ManifestNotFound = "query.manifest_not_found", 404, retry: true,
        "no draft or version of a rule pack has this digest", "没有此摘要的规则包草案或版本",
        "look it up in /v1/packs/{pack} or in the motion", "请在 /v1/packs/{pack} 或动议中查找";
    FileNotFound = "query.file_not_found", 404, retry: false,
        "the rule pack has no file with this digest", "规则包中没有此摘要的文件",
        "take the digest from /v1/manifests/{digest}", "请使用 /v1/manifests/{digest} 所列的摘要";
    NotABatch = "batch.not_a_batch", 409, retry: false,
        "this evidence is not a batch deposit", "该存证不是批量存证",
        "upload entries only to a batch deposit", "请只向批量存证上传条目";
    EntryMalformed = "batch.entry_malformed", 422, retry: false,
        "an entry is not of the published form", "条目不符合公布的格式",
        "correct the entry that the detail names; docs/receipt-format.md has the form",
        "请更正说明所指的条目；格式见 docs/receipt-format.md";
    EntriesMismatch = "batch.entries_mismatch", 422, retry: false,
        "the entries do not give the count and root that were deposited", "所传条目与已存证的数量和根不符",
        "upload exactly the deposited entries in their order", "请按原顺序上传已存证的全部条目";
    EntriesLacking = "batch.entries_lacking", 503, retry: false,
        "this node cannot tell whether the file is deposited, because it lacks the entries of some batches",
        "本节点缺少部分批量存证的条目，无法判定该文件是否已存证",
        "ask the node that took the batch, or verify the file with its receipt (.zlr)",
        "请向接收该批次的节点查询，或凭该文件的回执（.zlr）核验";
}
