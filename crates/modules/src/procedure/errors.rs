//! Refusals of the procedure module.

zhulian_execution::refusals! { "procedure";
    MalformedCaseId = 1, retry: false,
        "a case number is written like BJ20260105-000042",
        "copy it from the acknowledgement",
        "办件编号格式如 BJ20260105-000042",
        "请从受理通知书复制";
    CaseNotFound = 2, retry: true,
        "there is no case of this number",
        "check the number",
        "没有此编号的办件",
        "请核对编号";
    CaseIsClosed = 3, retry: false,
        "the case is closed",
        "open a new case",
        "该办件已办结",
        "请另行申请";
    ProcedureNotFound = 4, retry: true,
        "no such procedure is in force",
        "look at the list of packs and their procedures",
        "没有此现行有效的流程",
        "请查看规则包及其流程";
    UnknownVariable = 5, retry: false,
        "a value has a name that the procedure does not declare",
        "leave it out: nothing is disclosed without need",
        "所填的值未在流程中声明",
        "请删除：不披露不必要的信息";
    WrongValue = 6, retry: false,
        "a value is not of its declared type, or too long",
        "correct it; a commitment is 64 hexadecimal digits, a text has at most 200 bytes",
        "值不符合声明的类型或过长",
        "请更正；承诺为 64 位十六进制数字，文字不超过 200 字节";
    PersonalData = 7, retry: false,
        "a text seems to hold a citizen, phone or bank card number",
        "give a salted commitment instead",
        "文字中疑似含有公民身份号码、电话号码或银行卡号",
        "请改用加盐承诺";
    TaskNotFound = 8, retry: true,
        "no such task waits in the case",
        "look at the case's tasks; it may be done, or its time may be over",
        "该办件没有此待办任务",
        "请查看待办任务；该任务可能已办理或已超时";
    NotDutyHolder = 9, retry: false,
        "the task is not this organisation's or this role's duty",
        "the case's tasks name those responsible",
        "该任务不属于本机构或本岗位职责",
        "责任主体见任务列表";
    AlreadyClaimed = 10, retry: true,
        "another member works on the task",
        "ask that member to return or transfer it",
        "该任务已由其他人员认领",
        "请联系其退回或转办";
    NotClaimer = 11, retry: false,
        "the member did not claim the task",
        "claim it first",
        "该任务不是由本人认领",
        "请先认领";
    MaterialUnknown = 12, retry: false,
        "the procedure asks for no such material",
        "leave it out",
        "流程不需要此材料",
        "请勿提交";
    MaterialMissing = 13, retry: true,
        "a material that is needed here is missing",
        "submit it first; what the start needs comes with the application",
        "缺少此环节所需的材料",
        "请先提交材料；立案所需材料随申请一并提交";
    MaterialTwice = 14, retry: false,
        "this material was submitted already with this content",
        "nothing is to be done",
        "该材料已提交",
        "无需办理";
    NobodyWaits = 15, retry: true,
        "nobody waits for this message in the case",
        "send it when the case has come so far",
        "该办件当前不等待此消息",
        "请待办件进行到相应环节";
    NotParty = 16, retry: false,
        "the organisation takes no part in the case",
        "ask the leading organisation",
        "本机构不是该办件的参与机构",
        "请联系牵头机构";
    PauseNotListed = 17, retry: false,
        "the procedure lists no such reason to stop the clock",
        "the case goes on",
        "流程未列明此暂停计时事由",
        "请继续办理";
    AlreadyPaused = 18, retry: false,
        "the clock already stands still",
        "nothing is to be done",
        "计时已暂停",
        "无需办理";
    NotPaused = 19, retry: false,
        "the clock runs",
        "nothing is to be done",
        "计时未暂停",
        "无需办理";
    NotOver = 20, retry: true,
        "the case is not closed yet",
        "rate it when it is closed",
        "该办件尚未办结",
        "请在办结后评价";
    AlreadyRated = 21, retry: false,
        "the case is already rated",
        "nothing is to be done",
        "该办件已评价",
        "无需办理";
    MalformedRating = 22, retry: false,
        "a rating is 1 to 5",
        "choose one of the five levels",
        "评价为 1 至 5 级",
        "请选择五级之一";
    OverridePending = 23, retry: true,
        "an override already waits for its second signer",
        "confirm that one first",
        "已有人工干预待复核",
        "请先复核";
    NoOverride = 24, retry: true,
        "no override waits in the case",
        "propose one first",
        "没有待复核的人工干预",
        "请先提出";
    SameSigner = 25, retry: false,
        "an override is confirmed by another member than the one that proposed it",
        "ask a second member",
        "人工干预须由另一人复核",
        "请由他人复核";
    NotSupervisor = 26, retry: false,
        "the procedure names another organisation as supervisor",
        "ask the supervisor to confirm it",
        "复核机构由流程指定",
        "请由指定的监督机构复核";
    NothingDue = 27, retry: true,
        "nothing in the case is due",
        "wait",
        "该办件没有到期事项",
        "请等待";
    NoCalendar = 28, retry: true,
        "there is no calendar of working days in force for these days",
        "vote in the pack that the procedure names as its calendar",
        "没有覆盖该日期的现行工作日历",
        "请表决生效流程指定的工作日历规则包";
    TooCostly = 29, retry: false,
        "the step takes more than 1,000,000 units of gas",
        "simplify the procedure",
        "该步骤所需计算超过 1,000,000 单位",
        "请简化流程";
    Undecidable = 30, retry: false,
        "a condition or value of the procedure cannot be decided on these facts",
        "give the facts it needs; otherwise a person must decide by an override",
        "依现有事实无法判定流程中的条件或取值",
        "请补充所需事实；否则须人工干预";
    NoWay = 31, retry: false,
        "no way out of a choice is open on these facts",
        "check the facts",
        "依现有事实没有可走的分支",
        "请核对事实";
    RulesDecline = 32, retry: false,
        "the rules give no clear answer, or a fact they need is missing",
        "give the facts the decision needs; otherwise a person must decide by an override",
        "规则没有明确结论，或缺少所需事实",
        "请补充决策所需事实；否则须人工干预";
    TooLarge = 33, retry: false,
        "the case would hold too much",
        "leave values out; keep files outside of the ledger",
        "办件内容过多",
        "请减少内容；文件应保存在账外";
    Faulty = 34, retry: false,
        "the procedure cannot go on from here",
        "a person must decide by an override, and the procedure must be corrected",
        "流程无法由此继续",
        "须人工干预，并更正流程";
    RecipientUnknown = 35, retry: true,
        "the task cannot go to this organisation",
        "name another organisation that is admitted and active",
        "任务不能转至该机构",
        "请指定其他已接纳且未停用的机构";
    MalformedText = 36, retry: false,
        "a name is empty, too long, or has hidden characters",
        "names have at most 120 bytes",
        "名称为空、过长或含不可见字符",
        "名称不超过 120 字节";
    ExtensionTooLong = 37, retry: false,
        "an extension is 1 to 60 working days of a case that has a limit",
        "choose fewer days",
        "延长期限为 1 至 60 个工作日，且办件须有时限",
        "请减少天数";
    RightNotGiven = 38, retry: false,
        "the procedure does not give its cases the right to make this call in this organisation's name",
        "the pack's property right:MODULE.CALL names the organisations; a new version of the pack must be voted in",
        "流程未授权办件以该机构名义发起此项办理",
        "授权由规则包属性 right:模块.事项 列明，须表决新版本";
    OrganisationNotActive = 39, retry: true,
        "the organisation in whose name the case would act is not admitted, or is suspended",
        "wait until it is reinstated; otherwise a person must decide by an override",
        "办件拟以其名义办理的机构未加入或已停用",
        "请待该机构恢复；否则须人工干预";
    InputUnfit = 40, retry: false,
        "what the procedure gives to a call of another module does not fit it, or is missing",
        "state the facts that the task's inputs are made of",
        "流程提供给其他模块的输入缺失或不符合要求",
        "请补充任务输入所需的事实";
    CalendarLacksYear = 41, retry: true,
        "the calendar of working days in force does not hold the present year",
        "vote in the calendar of the present year",
        "现行工作日历不含今年",
        "请表决生效今年的工作日历";
    CalendarLacksNextYear = 42, retry: true,
        "a period ends next year, and the calendar of working days in force does not hold that year yet",
        "vote in next year's calendar, as the State Council has announced it",
        "期限将于明年届满，而现行工作日历尚不含明年",
        "请依国务院通知表决生效明年的工作日历";
    CalendarLacksLaterYear = 43, retry: true,
        "a period ends later than next year, and the calendar of working days in force does not hold that year yet",
        "shorten the period, or wait until that year is announced and voted in",
        "期限将于明年之后届满，而现行工作日历尚不含该年",
        "请缩短期限，或待该年放假安排公布并表决生效";
    Unreadable = 44, retry: false,
        "a value of the case is in a form that cannot be read again, such as two members of one name",
        "leave that value out, or correct the procedure or the decision that makes it",
        "办件中有无法再次读取的值，例如同一对象内有两个同名成员",
        "请删除该值，或更正产生该值的流程或决策";
    StillDue = 45, retry: true,
        "more is due in the case than one call can let happen",
        "tick the case until nothing is due, then try again",
        "该办件到期事项过多，一次办理无法全部触发",
        "请多次触发到期事项，待全部触发后再试";
    PausedTooOften = 46, retry: false,
        "the clock of the case stood still 200 times already",
        "the case goes on; its limit may be extended by an override",
        "该办件已暂停计时 200 次",
        "请继续办理；必要时通过人工干预延长期限";
}

impl From<zhulian_procedure::Fault> for Error {
    fn from(fault: zhulian_procedure::Fault) -> Self {
        use zhulian_procedure::Fault as F;
        match fault {
            F::OutOfGas => Self::TooCostly,
            F::Expression | F::Foreign | F::Timer | F::Loop => Self::Undecidable,
            F::NoWay => Self::NoWay,
            F::TooLarge => Self::TooLarge,
            F::NoProcedure => Self::ProcedureNotFound,
            F::NoDecision => Self::RulesDecline,
            F::NoWork => Self::TaskNotFound,
            F::NobodyWaits => Self::NobodyWaits,
            F::Ended => Self::CaseIsClosed,
            F::Stuck => Self::Faulty,
        }
    }
}
