//! What can go wrong: a refusal at deployment, a halt that ends an evaluation, a fault that FEEL turns into null.

use std::fmt;

/// Why an evaluation ended without a result. The same on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u16)]
pub enum Halt {
    /// The gas limit was reached; with more gas the same call may succeed.
    #[error("the gas limit was reached")]
    OutOfGas = 1,
    /// Evaluation or a value is nested too deeply; never succeeds.
    #[error("evaluation or a value is nested too deeply")]
    TooDeep = 2,
    /// A list or text is too large; never succeeds.
    #[error("a list or text is too large")]
    TooLarge = 3,
    /// The model has no decision, service or knowledge model of this name.
    #[error("the model has no element of this name")]
    NoSuchElement = 4,
}

/// Why FEEL answered null (DMN 1.5 §10.3.2.13.1: errors are null). Kept, because a silent null must not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum Fault {
    /// A name that is not in scope.
    UnknownName = 1,
    /// An operator applied to kinds it is not defined for.
    OperandKind = 2,
    /// A function called with wrong arguments.
    Argument = 3,
    /// A value that does not conform to its declared type or allowed values.
    TypeMismatch = 4,
    /// A number, date or duration out of range, or a division by zero.
    OutOfRange = 5,
    /// A call of something that is not a function.
    NotAFunction = 6,
    /// A table with a unique hit policy where several rules match.
    SeveralRules = 7,
    /// A table with hit policy ANY whose matching rules disagree.
    RulesDisagree = 8,
    /// A zone whose meaning would depend on the node.
    NamedZone = 9,
    /// `now()`, `today()`, an external function: not the same on every node.
    NotDeterministic = 10,
    /// An expression that is not FEEL.
    Syntax = 11,
    /// A condition that is not true or false.
    Condition = 12,
    /// A function whose pattern is refused.
    Pattern = 13,
    /// Text that is not a date, number or duration.
    Unreadable = 14,
    /// No rule matches and no default exists.
    NoRule = 15,
    /// An element without decision logic.
    NoLogic = 16,
    /// A decision that another one needs has no result.
    NoResult = 17,
}

impl Fault {
    /// The fault in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::UnknownName => "a name is not known here",
            Self::OperandKind => "an operator does not apply to these values",
            Self::Argument => "a function was called with wrong arguments",
            Self::TypeMismatch => "a value does not have its declared type or is not among the allowed values",
            Self::OutOfRange => "a result is out of range, or divided by zero",
            Self::NotAFunction => "something was called that is not a function",
            Self::SeveralRules => "several rules match where only one may",
            Self::RulesDisagree => "matching rules disagree",
            Self::NamedZone => "a named time zone other than Asia/Shanghai or Etc/UTC",
            Self::NotDeterministic => "a function that would not be the same on every node",
            Self::Syntax => "the expression is not FEEL",
            Self::Condition => "a condition is neither true nor false",
            Self::Pattern => "a pattern is not allowed",
            Self::Unreadable => "a text is not a date, time, duration, number or range",
            Self::NoRule => "no rule matches and there is no default",
            Self::NoLogic => "the element has no decision logic",
            Self::NoResult => "a decision that another one needs has no result",
        }
    }

    /// The fault in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::UnknownName => "此处没有这个名称",
            Self::OperandKind => "运算符不适用于这些值",
            Self::Argument => "函数的参数不正确",
            Self::TypeMismatch => "值不符合声明的类型或不在允许的取值之内",
            Self::OutOfRange => "结果超出范围，或除数为零",
            Self::NotAFunction => "被调用的不是函数",
            Self::SeveralRules => "只允许一条规则命中，却有多条命中",
            Self::RulesDisagree => "命中的规则结论不一致",
            Self::NamedZone => "使用了 Asia/Shanghai 与 Etc/UTC 以外的命名时区",
            Self::NotDeterministic => "该函数在各节点上结果可能不同",
            Self::Syntax => "表达式不符合 FEEL 语法",
            Self::Condition => "条件既非真也非假",
            Self::Pattern => "不允许的正则表达式",
            Self::Unreadable => "文本不是日期、时间、时长、数字或区间",
            Self::NoRule => "没有规则命中，且没有默认结论",
            Self::NoLogic => "该元素没有决策逻辑",
            Self::NoResult => "其他决策所依赖的决策没有结论",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.en())
    }
}
