//! Refusals of the rulepack module.

zhulian_execution::refusals! { "rulepack";
    MalformedPackId = 1, retry: false,
        "a pack id has 2 to 32 characters of a-z, 0-9 and -, a letter first",
        "choose a short name such as medical-assistance",
        "规则包编号须为 2 至 32 个字符（a-z、0-9、-），以字母开头",
        "请使用简短名称，例如 medical-assistance";
    MalformedText = 2, retry: false,
        "a text is empty, too long, or has hidden characters or spaces at its ends",
        "titles have at most 200 bytes, statutes 400, names of files 64",
        "文字为空、过长，或含不可见字符、首尾空格",
        "名称最多 200 字节，法规依据最多 400 字节，文件名最多 64 字节";
    PersonalData = 3, retry: false,
        "a text seems to hold a citizen, phone or bank card number",
        "leave it out; disclose only what the rules need, with a commitment to the rest",
        "文字中疑似含有公民身份号码、电话号码或银行卡号",
        "请删除；只披露规则所需的内容，其余以承诺代替";
    MalformedManifest = 4, retry: false,
        "the manifest is out of form: version from 1, end after start, 1 to 16 files of 1 to 8 parts, at most one calendar, one list of rates and one of documents",
        "correct the manifest",
        "清单不合格式：版本自 1 起，终止晚于生效，1 至 16 个文件、每个 1 至 8 部分，日历、费率表、材料清单各至多一个",
        "请更正清单";
    PartTooLarge = 5, retry: false,
        "a part has 1 to 49,152 bytes",
        "cut the file into parts",
        "每部分应为 1 至 49,152 字节",
        "请将文件切分";
    PartExists = 6, retry: false,
        "this part is already there",
        "nothing is to be done",
        "该部分已上传",
        "无需办理";
    PartMissing = 7, retry: true,
        "a part that the manifest names is not there",
        "stage every part first",
        "清单所列的部分尚未上传",
        "请先上传所有部分";
    FileMismatch = 8, retry: false,
        "the parts do not make the file that the manifest names",
        "make the manifest again",
        "各部分不能合成清单所列的文件",
        "请重新生成清单";
    NotAccepted = 9, retry: false,
        "the rules are not accepted: they have gaps, null results, unknown names or other faults, or a file is out of form",
        "zhulian rules check names each fault with its remedy",
        "规则未被接受：存在缺口、空结果、未知名称等问题，或文件不合格式",
        "zhulian rules check 会逐项指出问题及改法";
    DraftExists = 10, retry: false,
        "this version is already drafted",
        "open a motion to enact it",
        "该版本已提交草案",
        "请提出生效动议";
    DraftNotFound = 11, retry: true,
        "there is no draft of this digest",
        "draft the version first",
        "没有此摘要的草案",
        "请先提交草案";
    WrongVersion = 12, retry: false,
        "the version is not the next one",
        "number versions 1, 2, 3, … without gaps",
        "版本号不是下一个版本",
        "版本号应依次为 1、2、3……";
    NotLater = 13, retry: false,
        "a version takes effect later than the one before",
        "choose a later date",
        "新版本的生效时间须晚于前一版本",
        "请选择更晚的日期";
    NoticeTooShort = 14, retry: false,
        "the notice period would be cut short",
        "choose a later date: the version before says how long the notice is",
        "公示期不足",
        "请选择更晚的日期；公示期长度由前一版本规定";
    PackNotFound = 15, retry: true,
        "there is no such pack",
        "look at the list of packs",
        "没有此规则包",
        "请查看规则包列表";
    VersionNotFound = 16, retry: true,
        "the pack has no such version",
        "look at the pack's versions",
        "该规则包没有此版本",
        "请查看该规则包的版本";
    NotInForce = 17, retry: true,
        "no version, or not this one, is in force",
        "wait until it takes effect, or name the version that was in force when the case was opened",
        "没有版本或该版本未生效",
        "请待其生效，或指定立案时有效的版本";
    Superseded = 18, retry: false,
        "this pack's latest version holds for every case",
        "leave the version out",
        "该规则包规定一律适用最新版本",
        "请不要指定版本";
    AlreadyInForce = 19, retry: false,
        "a version that took effect is not annulled",
        "enact a new version",
        "已生效的版本不能撤销",
        "请表决新版本";
    AlreadyAnnulled = 20, retry: false,
        "the version is already annulled",
        "nothing is to be done",
        "该版本已被撤销",
        "无需办理";
    DecisionNotFound = 21, retry: false,
        "the pack has no such decision",
        "look at the pack's decisions",
        "该规则包没有此决策",
        "请查看该规则包的决策";
    MalformedFact = 22, retry: false,
        "at most 64 facts, in ascending order of their names, none twice, each a value in canonical FEEL of at most 1,024 bytes",
        "write numbers as 12.5, texts as \"text\", dates as @\"2026-01-31\"",
        "事实至多 64 项，按名称升序且不得重复，值须为规范 FEEL 文本且不超过 1,024 字节",
        "数字写作 12.5，文字写作 \"文字\"，日期写作 @\"2026-01-31\"";
    FactMissing = 23, retry: false,
        "a fact that the decision needs is missing",
        "add it; say null if it is not known",
        "缺少决策所需的事实",
        "请补充；如确实未知，请写 null";
    FactUnneeded = 24, retry: false,
        "a fact is given that the decision does not need",
        "leave it out: nothing is disclosed without need",
        "提供了决策不需要的事实",
        "请删除：不披露不必要的信息";
    FactIsRate = 25, retry: false,
        "a fact is given that the pack itself fixes",
        "leave it out",
        "提供了规则包已规定的费率或标准",
        "请删除";
    NoAnswer = 26, retry: false,
        "the rules give no clear answer on these facts",
        "check the facts' types; otherwise a person must decide, with reasons",
        "依这些事实，规则没有明确结论",
        "请核对事实的类型；否则须由工作人员说明理由后决定";
    TooCostly = 27, retry: false,
        "the decision takes more than 100,000 units of gas",
        "simplify the rules",
        "该决策所需计算超过 100,000 单位",
        "请简化规则";
}
