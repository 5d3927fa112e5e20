//! Refusals of the evidence module.

zhulian_execution::refusals! { "evidence";
    MalformedText = 1, retry: false,
        "a text is empty, too long, or has hidden characters or spaces at its ends",
        "legal basis has at most 200 bytes, case hint and case number at most 64",
        "文字为空、过长，或含不可见字符、首尾空格",
        "法律依据最多 200 字节，案件提示与案号最多 64 字节";
    PersonalData = 2, retry: false,
        "a text seems to hold a citizen, phone or bank card number",
        "leave it out, or commit to it with a salt (name_commitment, generation commitments)",
        "文字中疑似含有公民身份号码、电话号码或银行卡号",
        "请删除，或改用加盐承诺（name_commitment、generation）";
    InconsistentFile = 3, retry: false,
        "the digests and the size contradict each other, or the size is beyond 2^50 bytes",
        "hash the file again",
        "摘要与大小相互矛盾，或大小超过 2^50 字节",
        "请重新计算文件摘要";
    TooManyEntries = 4, retry: true,
        "a batch has 1 to 1,000,000 entries, or fewer by parameter batch_entries_max",
        "split the batch",
        "一批应有 1 至 1,000,000 个条目，且不超过参数 batch_entries_max",
        "请分批提交";
    MalformedDetails = 5, retry: false,
        "at most 16 prior pieces of evidence, 16 notes and 16 commitments, none of them twice, in ascending order",
        "sort them, and leave out what is doubled",
        "在先证据、备注代码与承诺各最多 16 项，按升序排列且不得重复",
        "请排序并去除重复项";
    DetailsTooLarge = 6, retry: true,
        "the details are larger than parameter details_bytes_max",
        "leave out what is not needed; commit to long content by digest",
        "存证说明超过参数 details_bytes_max",
        "请删去不必要的内容；较长内容请以摘要承诺";
    RetentionPast = 7, retry: false,
        "the retention ends before the block's time",
        "give a later date, or none",
        "保存期限早于区块时间",
        "请填写更晚的日期，或不填";
    AlreadyDeposited = 8, retry: true,
        "your organisation has already deposited this; the first deposit stands",
        "use the first deposit; to replace it, withdraw it first",
        "本机构已存证该内容；以首次存证为准",
        "请使用首次存证；如需更正，请先停止使用原存证";
    NotFound = 9, retry: true,
        "no such deposit",
        "look up the digest, and the number of the deposit or entry",
        "没有此存证",
        "请核对摘要及存证序号或条目序号";
    NotDepositor = 10, retry: false,
        "only the organisation that deposited may withdraw",
        "ask that organisation",
        "只有存证机构可以停止使用",
        "请联系存证机构";
    AlreadyWithdrawn = 11, retry: false,
        "the deposit is already withdrawn from use",
        "nothing is to be done",
        "该存证已停止使用",
        "无需办理";
    IsFrozen = 12, retry: true,
        "a court has frozen the evidence",
        "wait until the court releases it, or ask the court",
        "该证据已被法院冻结",
        "请待法院解除冻结，或与法院联系";
    AlreadyFrozen = 13, retry: true,
        "the court has already frozen the evidence in this case",
        "nothing is to be done",
        "法院已在该案中冻结此证据",
        "无需办理";
    TooManyFreezes = 14, retry: true,
        "the evidence is frozen in 8 cases",
        "ask one of the courts to release it first",
        "该证据已在 8 个案件中被冻结",
        "请先由其中一家法院解除";
    NotFrozenHere = 15, retry: true,
        "your court has not frozen the evidence in this case",
        "look up the cases in which it is frozen",
        "本院未在该案中冻结此证据",
        "请查询该证据被冻结的案件";
    NotCustodian = 16, retry: true,
        "only the depositor and the present custodian record custody; what is done to the thing itself, only who holds it",
        "ask the organisation that holds it",
        "只有存证机构和现保管机构可以登记保管事项；对实物的处置只能由现保管机构登记",
        "请联系现保管机构";
    RecipientMissing = 17, retry: true,
        "a transfer names another organisation that is admitted and active; nothing else names one",
        "name the organisation that receives it, by its code",
        "移交须写明另一家已加入且在用的机构；其他事项不得写明接收机构",
        "请填写接收机构的统一社会信用代码";
    NothingToReturn = 18, retry: true,
        "the depositor itself holds the evidence",
        "nothing is to be done",
        "证据现由存证机构自行保管",
        "无需办理";
    AlreadySealed = 19, retry: true,
        "the evidence is already sealed",
        "record that it was opened first",
        "证据已封存",
        "请先登记启封";
    NotSealed = 20, retry: true,
        "the evidence is not sealed",
        "record that it was sealed first",
        "证据未封存",
        "请先登记封存";
    CustodianUnknown = 21, retry: true,
        "the custodian that the deposit names is not an organisation that is admitted and active",
        "check the custodian's code, or let the organisation be admitted or reinstated first",
        "存证所写的保管机构未加入网络或已停用",
        "请核对保管机构的统一社会信用代码，或先由该机构加入或恢复";
}
