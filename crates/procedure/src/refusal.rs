//! Refusals of a file: the element, what is wrong, and what to do about it, in Chinese and English.

use std::fmt;

/// Why a file is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Not XML, with a document type, or nested too deeply.
    Xml,
    /// Not BPMN 2.0, or without a process.
    NotBpmn,
    /// Too many or too large elements.
    TooLarge,
    /// A kind of element that is not executed; the detail names it.
    Unsupported,
    /// A reference to an element that does not exist, or none where one must be.
    MissingReference,
    /// Two elements with one identifier, or an element without one.
    Identifier,
    /// An element where it cannot stand.
    Misplaced,
    /// A point in time or a duration that cannot be read.
    Timer,
    /// A repetition without a list or number, or with a bound out of range.
    Loop,
    /// Something an expression does; the detail says what.
    Expression,
    /// A condition in a language that is not FEEL.
    ForeignExpression,
    /// A choice without a condition on a flow that is not the default.
    NoCondition,
    /// A process that cannot be started by an applicant: no start, or several of a kind.
    Start,
    /// A join that waits for ever.
    Deadlock,
    /// A join that may be reached twice by one flow.
    UnsafeJoin,
    /// An element that may be active twice at a time.
    TwoTokens,
    /// An end that is never reached.
    UnreachableEnd,
    /// An element that is never reached.
    DeadElement,
    /// A state from which no end can be reached.
    NoWayOut,
    /// The states are too many to be explored.
    TooManyStates,
    /// A person's task that nobody is responsible for.
    NoDutyHolder,
    /// A required material without a source of its data.
    NoSource,
    /// A task that calls no procedure, decision or service.
    NothingCalled,
    /// The name of a variable that is empty or too long to be kept.
    VariableName,
}

impl Reason {
    /// What is wrong and the remedy, in English.
    fn en(self) -> (&'static str, &'static str) {
        match self {
            Self::Xml => ("the file is not acceptable XML", "save it again from the editor, without a document type"),
            Self::NotBpmn => ("the file holds no BPMN 2.0 process", "draw a process and save it as BPMN 2.0 XML"),
            Self::TooLarge => ("the model is too large", "split it into several procedures"),
            Self::Unsupported => {
                ("this kind of element is not executed", "replace it; the handbook lists the elements that are")
            }
            Self::MissingReference => ("a referenced element does not exist", "draw the connection again"),
            Self::Identifier => ("the identifier is missing or used twice", "give each element its own identifier"),
            Self::Misplaced => ("the element cannot stand here", "move it, or connect it otherwise"),
            Self::Timer => ("the time cannot be read", "write a duration such as P5D, a date and time, or R3/P1D"),
            Self::Loop => ("the repetition has no bound", "name the list to go through, and a bound of at most 1,000"),
            Self::Expression => ("the expression cannot be decided", "correct it, or declare the variable it names"),
            Self::ForeignExpression => ("the expression is not FEEL", "write it in FEEL with a leading ="),
            Self::NoCondition => {
                ("a way out of the choice has no condition", "write a condition, or make the flow the default")
            }
            Self::Start => ("it is not clear where the procedure starts", "draw one start event without a trigger"),
            Self::Deadlock => ("the join can wait for ever", "join only ways that are all taken"),
            Self::UnsafeJoin => ("the join can be reached twice by one flow", "join or choose before it"),
            Self::TwoTokens => ("the element can be active twice at a time", "join the parallel ways before it"),
            Self::UnreachableEnd => ("the end is never reached", "connect it, or remove it"),
            Self::DeadElement => ("the element is never reached", "connect it, or remove it"),
            Self::NoWayOut => ("from here no end can be reached", "draw a way to an end"),
            Self::TooManyStates => {
                ("the states are too many to be explored", "split the procedure, or use fewer parallel ways")
            }
            Self::NoDutyHolder => ("nobody is responsible for the task", "name the organisation or role as candidate group"),
            Self::NoSource => {
                ("a required material has no source", "name the licence, catalogue entry or applicant it comes from")
            }
            Self::NothingCalled => ("the task calls nothing", "name the procedure, decision or service"),
            Self::VariableName => ("the name of a variable is empty or too long", "choose one of 1 to 128 bytes"),
        }
    }

    /// What is wrong and the remedy, in Chinese.
    fn zh(self) -> (&'static str, &'static str) {
        match self {
            Self::Xml => ("文件不是可接受的 XML", "请从编辑器重新保存，不要包含文档类型声明"),
            Self::NotBpmn => ("文件中没有 BPMN 2.0 流程", "请绘制流程并保存为 BPMN 2.0 XML"),
            Self::TooLarge => ("模型过大", "请拆分为多个事项流程"),
            Self::Unsupported => ("不支持执行此类元素", "请改用手册所列的元素"),
            Self::MissingReference => ("引用的元素不存在", "请重新绘制连接"),
            Self::Identifier => ("标识缺失或重复", "请为每个元素设置唯一标识"),
            Self::Misplaced => ("元素不能放在此处", "请移动元素或更改连接"),
            Self::Timer => ("无法读取时间", "请填写 P5D 这样的时长、日期时间或 R3/P1D"),
            Self::Loop => ("重复执行没有上限", "请指明要遍历的列表，并设置不超过 1000 的上限"),
            Self::Expression => ("表达式无法判定", "请更正表达式，或声明其中的变量"),
            Self::ForeignExpression => ("表达式不是 FEEL", "请以等号开头，用 FEEL 书写"),
            Self::NoCondition => ("分支没有条件", "请填写条件，或设为默认流"),
            Self::Start => ("流程的起点不明确", "请绘制一个无触发器的开始事件"),
            Self::Deadlock => ("汇聚处可能永远等待", "请只汇聚必定都会经过的分支"),
            Self::UnsafeJoin => ("同一条流可能两次到达汇聚处", "请在此之前先汇聚或择一"),
            Self::TwoTokens => ("元素可能同时被激活两次", "请在此之前汇聚并行分支"),
            Self::UnreachableEnd => ("结束事件永远不会到达", "请连接或删除"),
            Self::DeadElement => ("元素永远不会到达", "请连接或删除"),
            Self::NoWayOut => ("由此无法到达结束", "请绘制通往结束的路径"),
            Self::TooManyStates => ("状态过多，无法穷尽检查", "请拆分流程或减少并行分支"),
            Self::NoDutyHolder => ("任务没有责任主体", "请在候选组中填写承办机构或岗位"),
            Self::NoSource => ("必需材料没有数据来源", "请注明来自哪项证照、目录或由申请人提交"),
            Self::NothingCalled => ("任务没有调用对象", "请指明流程、决策或服务"),
            Self::VariableName => ("变量名称为空或过长", "变量名称须为 1 至 128 字节"),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Identifier of the element in the file; empty for the file itself.
    pub element: String,
    /// The element's name, as drawn.
    pub name: String,
    /// Why.
    pub reason: Reason,
    /// The kind, text or other element it concerns.
    pub detail: String,
}

impl Refusal {
    /// A refusal of an element.
    pub(crate) fn of(element: &str, name: &str, reason: Reason, detail: impl Into<String>) -> Self {
        let short = |text: &str| text.chars().take(200).collect::<String>();
        // Names are drawn over several lines.
        let line = name.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { element: short(element), name: short(&line), reason, detail: short(&detail.into()) }
    }

    /// A refusal of the whole file.
    pub(crate) fn file(reason: Reason, detail: impl Into<String>) -> Self {
        Self::of("", "", reason, detail)
    }

    fn place(&self) -> String {
        match (self.element.is_empty(), self.name.is_empty()) {
            (true, _) => "definitions".into(),
            (false, true) => self.element.clone(),
            (false, false) => format!("{} \"{}\"", self.element, self.name),
        }
    }

    /// What is wrong and the remedy, in English.
    pub fn texts_en(&self) -> (&'static str, &'static str) {
        self.reason.en()
    }

    /// What is wrong and the remedy, in Chinese.
    pub fn texts_zh(&self) -> (&'static str, &'static str) {
        self.reason.zh()
    }

    /// The refusal as a sentence in English.
    pub fn en(&self) -> String {
        let (what, remedy) = self.reason.en();
        format!("{}: {what} ({}); {remedy}", self.place(), self.detail)
    }

    /// The refusal as a sentence in Chinese.
    pub fn zh(&self) -> String {
        let (what, remedy) = self.reason.zh();
        format!("{}：{what}（{}）；{remedy}", self.place(), self.detail)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}
