//! Refusals of the governance module.

zhulian_execution::refusals! { "governance";
    ParameterOutOfBounds = 1, retry: false,
        "the value is outside of the parameter's bounds",
        "see docs/calls.cddl for the bounds",
        "参数值超出允许范围",
        "允许范围见 docs/calls.cddl";
    MotionNotFound = 2, retry: true,
        "there is no motion of this number",
        "look at the list of motions",
        "没有此编号的动议",
        "请查看动议列表";
    MotionDecided = 3, retry: false,
        "the motion is already decided or withdrawn",
        "nothing is to be done; open another motion if needed",
        "该动议已有结果或已撤回",
        "无需办理；如有需要请另提动议";
    MotionExpired = 4, retry: false,
        "the motion's period is over",
        "open the motion again",
        "该动议的表决期已过",
        "请重新提出动议";
    NoVote = 5, retry: true,
        "the organisation has no vote",
        "organisations with a vote are listed with their names",
        "该机构没有表决权",
        "有表决权的机构见机构列表";
    OwnCase = 6, retry: false,
        "an organisation does not vote on its own case",
        "nothing is to be done",
        "机构不得就自身事项投票",
        "无需办理";
    AlreadyVoted = 7, retry: false,
        "the organisation has already voted on this motion",
        "nothing is to be done; a ballot is final",
        "该机构已就此动议投票",
        "无需办理；投票后不可更改";
    NotOpener = 8, retry: false,
        "only the organisation that opened a motion may withdraw it",
        "vote against it instead",
        "只有提出动议的机构可以撤回",
        "可改投反对票";
    EmptyRecovery = 9, retry: false,
        "a recovery names 1 to 16 members",
        "name the members that the organisation is to have",
        "恢复动议须列出 1 至 16 名成员",
        "请列出该机构应有的成员";
    MalformedValidator = 10, retry: false,
        "a validator has an Ed25519 key and an address host:port",
        "make the key on the validator's own machine and name the address at which others reach it",
        "验证节点须有 Ed25519 密钥和 主机:端口 形式的地址",
        "请在验证节点本机生成密钥，并写明他方可达的地址";
    ValidatorExists = 11, retry: false,
        "a validator has this key already",
        "look at the list of validators; a new validator needs a key of its own",
        "已有验证节点使用该密钥",
        "请查看验证节点列表；新验证节点须用自己的密钥";
    ValidatorNotFound = 12, retry: false,
        "no validator of this organisation has this key",
        "look at the list of validators",
        "该机构没有使用此密钥的验证节点",
        "请查看验证节点列表";
    ValidatorChangePending = 13, retry: true,
        "another change of validators waits for the next epoch",
        "open the motion again when the next epoch has begun",
        "另一项验证节点变更正待下一任期生效",
        "请在下一任期开始后重新提出动议";
    TooMuchPower = 14, retry: true,
        "one organisation would run a third or more of the validators and could stop the network alone",
        "let other organisations run more validators first",
        "变更后将有一个机构运行三分之一或以上的验证节点，可独自使网络停止",
        "请先由其他机构增设验证节点";
    ValidatorCount = 15, retry: true,
        "a network has 1 to 64 validators",
        "remove one before another comes, or add one before the last goes",
        "网络须有 1 至 64 个验证节点",
        "请先移除一个再增加，或先增加一个再移除最后一个";
    ProtocolNotNext = 16, retry: true,
        "the protocol is not the one after that in force",
        "look up which protocol is in force; one follows another",
        "所提协议不是现行协议的下一版本",
        "请查询现行协议；协议须逐版升级";
    ProtocolHeight = 17, retry: false,
        "a protocol begins at least an epoch's blocks, and at most 10,000,000 blocks, after it is voted",
        "choose a height that leaves time for the vote and, after it, for installing the new build everywhere",
        "协议须在表决通过后至少一个任期的区块数、至多 10,000,000 个区块之后生效",
        "请另选生效高度，为表决及此后各节点安装新版程序留足时间";
    ProtocolPending = 18, retry: true,
        "another protocol has been voted and has not begun",
        "wait until it has begun, or annul it first",
        "已有一项协议升级待生效",
        "请待其生效，或先行撤销";
    ProtocolNotPending = 19, retry: true,
        "no such protocol is to come",
        "look up which protocol is in force and which is to come",
        "没有待生效的该协议",
        "请查询现行及待生效的协议";
}
