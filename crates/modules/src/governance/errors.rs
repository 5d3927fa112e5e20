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
        "无需办理;如有需要请另提动议";
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
        "无需办理;投票后不可更改";
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
}
