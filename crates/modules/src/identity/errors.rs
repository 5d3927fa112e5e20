//! Refusals of the identity module.

zhulian_execution::refusals! { "identity";
    MalformedUscc = 1, retry: false,
        "not a unified social credit code of GB 32100-2015, or its check character does not fit",
        "copy the 18 characters from the organisation's certificate; the letters I, O, S, V and Z do not occur",
        "不是符合 GB 32100-2015 的统一社会信用代码，或其校验码不符",
        "请按机构证照核对 18 位代码；其中不出现字母 I、O、S、V、Z";
    MalformedName = 2, retry: false,
        "a name has 1 to 120 bytes of visible characters",
        "shorten the name, and remove hidden characters and spaces at its ends",
        "名称应为 1 至 120 字节的可见字符",
        "请缩短名称，并去除首尾空格和不可见字符";
    MalformedMember = 3, retry: false,
        "a member id has 2 to 32 characters: small letters, digits, '-', '.', '_', with a letter first and at most 6 digits in a row",
        "choose a pseudonym such as clerk-01; personal names and numbers do not belong on the ledger",
        "成员标识为 2 至 32 个字符：小写字母、数字及“-”“.”“_”，以字母开头，连续数字不超过 6 位",
        "请使用 clerk-01 之类的代号；姓名和证件号码不得上链";
    MalformedKey = 4, retry: false,
        "not a public key of a supported curve",
        "give the 32 bytes of an EdDSA key or the 33-byte compressed point of an ES256 key",
        "不是受支持曲线上的公钥",
        "请提供 32 字节的 EdDSA 公钥或 33 字节压缩形式的 ES256 公钥";
    MalformedRoles = 5, retry: false,
        "the set of roles has a bit that is no role",
        "see docs/calls.cddl for the roles",
        "角色集合中含有未定义的角色",
        "角色定义见 docs/calls.cddl";
    PowersJoined = 6, retry: false,
        "system, security and audit administration are three accounts: this member holds or has held another of them",
        "give the role to a member that never held another administration",
        "系统、安全、审计三种管理角色必须分属三个账户：该成员现任或曾任其中另一角色",
        "请将该角色授予从未担任其他管理角色的成员";
    OwnAccount = 7, retry: false,
        "nobody changes their own roles or standing",
        "ask another administrator of your organisation",
        "任何人不得变更本人的角色或状态",
        "请由本机构另一名管理员办理";
    MemberExists = 8, retry: false,
        "the organisation already has a member of this id",
        "choose another id; ids are never used twice",
        "本机构已有此标识的成员",
        "请换用其他标识；成员标识不得重复使用";
    MemberNotFound = 9, retry: true,
        "the organisation has no member of this id",
        "have a system administrator add the member first",
        "本机构没有此标识的成员",
        "请先由系统管理员添加该成员";
    AlreadySuspended = 10, retry: true,
        "the member is already suspended",
        "nothing is to be done",
        "该成员已停用",
        "无需再次办理";
    NotSuspended = 11, retry: true,
        "the member is not suspended",
        "nothing is to be done",
        "该成员未停用",
        "无需办理";
    LastAdministrator = 12, retry: true,
        "the organisation would lose its last acting administrator of this kind",
        "appoint another one first",
        "机构将失去最后一名在任的该类管理员",
        "请先任命另一名同类管理员";
    RoleNotForClass = 13, retry: false,
        "only a member of a judicial organisation is a judge",
        "leave the role judge out",
        "只有司法机关的成员可任法官",
        "请去除法官角色";
    RoleNotForSystem = 14, retry: false,
        "a system is an officer at most: it does not administer, represent or judge",
        "give the role to a person",
        "系统账户至多为经办人，不得担任管理员、代表或法官",
        "请将该角色授予人员";
    NothingProposed = 15, retry: true,
        "no such roles are proposed for this member",
        "look at what is proposed, and confirm exactly that",
        "该成员没有此项待确认的角色",
        "请查看待确认的角色并按其内容确认";
    RolesPending = 16, retry: true,
        "the member's administration waits to be confirmed; until then no key is added",
        "have it confirmed, or assign other roles, first",
        "该成员的管理角色尚待确认，确认前不得登记密钥",
        "请先确认，或改授其他角色";
    AdministratorKey = 17, retry: true,
        "the key of an administrator is replaced by its holder, not by another administrator",
        "let the holder rotate it, or let the organisations vote on a recovery",
        "管理员的密钥由本人更换，其他管理员不得代办",
        "请由本人轮换密钥，或由各机构表决恢复";
    KeyTaken = 18, retry: false,
        "the key is or was registered; a key names one member for ever",
        "make a fresh key",
        "该密钥已被登记过；一把密钥永远只对应一名成员",
        "请生成新的密钥";
    BadProof = 19, retry: false,
        "the proof that the key is held by its new owner is not valid",
        "sign the statement of docs/calls.cddl (key_statement) with the key that is to be registered",
        "新密钥的持有证明无效",
        "请用待登记的密钥对 docs/calls.cddl 中的 key_statement 签名";
    TooManyKeys = 20, retry: true,
        "the member has 16 keys in use",
        "revoke one first",
        "该成员已有 16 把在用密钥",
        "请先撤销其中一把";
    KeyNotFound = 21, retry: true,
        "your organisation has no such key",
        "look up the organisation's keys",
        "本机构没有此密钥",
        "请查询本机构的密钥";
    KeyAlreadyEnded = 22, retry: false,
        "the key has ended or is about to",
        "nothing is to be done; to act now, use the current key",
        "该密钥已失效或即将失效",
        "无需办理；如需操作请使用现行密钥";
    OverlapTooLong = 23, retry: false,
        "the old key may stay for at most 1,024 blocks",
        "choose a shorter overlap",
        "旧密钥最多保留 1,024 个区块",
        "请缩短新旧密钥并存的时间";
    NotYourKey = 24, retry: true,
        "a member revokes its own keys; those of others are revoked by a security administrator",
        "ask your security administrator",
        "成员只能撤销本人的密钥；他人的密钥由安全管理员撤销",
        "请联系本机构安全管理员";
    MalformedFounding = 25, retry: false,
        "a new organisation needs an acting system, security and audit administrator, and members and keys that occur once",
        "name three different members for the three administrations, each with a key of its own",
        "新机构须有在任的系统、安全、审计管理员各一名，成员与密钥不得重复",
        "请为三种管理角色分别指定成员，并各配一把密钥";
    OrganisationExists = 26, retry: false,
        "the organisation is already admitted",
        "nothing is to be done",
        "该机构已加入",
        "无需办理";
    OrganisationNotFound = 27, retry: true,
        "no organisation of this code is admitted",
        "check the code, or propose the organisation's admission",
        "没有此代码的已加入机构",
        "请核对代码，或提议接纳该机构";
    OrganisationStanding = 28, retry: true,
        "the organisation already has this standing",
        "nothing is to be done",
        "该机构已处于此状态",
        "无需办理";
    TooManyVoters = 29, retry: true,
        "at most 256 organisations vote",
        "admit the organisation without a vote",
        "有表决权的机构最多 256 家",
        "请以无表决权方式接纳该机构";
}
