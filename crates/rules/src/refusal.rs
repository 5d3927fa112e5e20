//! Refusals at deployment: the element, what is wrong, and what to do about it, in Chinese and English.

use crate::errors::Fault;
use std::fmt;

/// Why a model is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file is not XML, has a document type, or is too large or too deep.
    Xml,
    /// The file is not DMN 1.2 to 1.5.
    NotDmn,
    /// A reference to an element that does not exist.
    MissingElement,
    /// Elements, types or imports that need each other in a circle.
    Cycle,
    /// Too many or too large elements.
    TooLarge,
    /// Something an expression does.
    Expression(Fault),
    /// Facts for which no rule of a table is made; the detail names them.
    Gap,
    /// Rules that match together where the hit policy forbids it; the detail names them.
    Overlap,
    /// A rule that can never be reached.
    Unreachable,
    /// A table whose totality cannot be proved and that has no default output.
    Unproven,
    /// Rules of which it cannot be proved that they exclude each other, where the hit policy wants that.
    UnprovenOverlap,
    /// A rule with more or fewer cells than the table has columns.
    Cells,
    /// A hit policy or aggregation the standard does not have, or one that does not fit the table.
    HitPolicy,
    /// A result that may be null: nobody could tell a refusal from an oversight.
    SilentNull,
    /// Two elements of one name.
    Duplicate,
    /// An input without a type: what is wrong about it could not be found before it decides.
    Untyped,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The element, by its path of names: decision, rule, column.
    pub element: String,
    /// Why.
    pub reason: Reason,
    /// The text, name or facts it concerns.
    pub detail: String,
}

impl Reason {
    /// What is wrong and the remedy, in English.
    fn en(&self) -> (&'static str, &'static str) {
        match self {
            Self::Xml => ("the file is not acceptable XML", "save it again from the editor, without a document type"),
            Self::NotDmn => ("the file is not DMN 1.2 to 1.5", "export it as DMN 1.5"),
            Self::MissingElement => {
                ("a referenced element does not exist", "draw the requirement again, or add the imported file")
            }
            Self::Cycle => ("elements need each other in a circle", "remove one of the requirements"),
            Self::TooLarge => ("the model is too large", "split it into several models"),
            Self::Gap => ("no rule covers these facts", "add a rule or a default output"),
            Self::Overlap => {
                ("several rules match these facts", "make the conditions exclude each other, or choose another hit policy")
            }
            Self::Unreachable => ("the rule can never match", "remove it or move it before the rule that hides it"),
            Self::Unproven => ("it cannot be shown that some rule always matches", "add a default output"),
            Self::UnprovenOverlap => (
                "it cannot be shown that these rules exclude each other",
                "write their conditions with constants, or choose the hit policy FIRST",
            ),
            Self::Cells => ("a rule has not one cell for every column", "fill the row, with - where anything will do"),
            Self::HitPolicy => ("the hit policy does not fit", "choose another one; PRIORITY needs a list of output values"),
            Self::SilentNull => {
                ("the result may be null", "say what is decided, for example 0 or a reason, instead of nothing")
            }
            Self::Duplicate => ("two elements have this name", "rename one of them"),
            Self::Untyped => ("the input has no type", "choose its type, such as number, string or date"),
            Self::Expression(fault) => (
                fault.en(),
                match fault {
                    Fault::UnknownName => "add the information requirement, or correct the name",
                    Fault::NotDeterministic => "take the block time or the value as an input",
                    Fault::NamedZone => "use an offset such as +08:00, or Asia/Shanghai",
                    Fault::NoLogic => "add decision logic",
                    Fault::TypeMismatch | Fault::OperandKind | Fault::Argument => "correct the types",
                    _ => "correct the expression",
                },
            ),
        }
    }

    /// What is wrong and the remedy, in Chinese.
    fn zh(&self) -> (&'static str, &'static str) {
        match self {
            Self::Xml => ("文件不是可接受的 XML", "请从编辑器重新保存，不要包含文档类型声明"),
            Self::NotDmn => ("文件不是 DMN 1.2 至 1.5", "请导出为 DMN 1.5"),
            Self::MissingElement => ("引用的元素不存在", "请重新绘制依赖，或补充被导入的文件"),
            Self::Cycle => ("元素之间循环依赖", "请删除其中一条依赖"),
            Self::TooLarge => ("模型过大", "请拆分为多个模型"),
            Self::Gap => ("没有规则覆盖以下事实", "请增加规则或默认输出"),
            Self::Overlap => ("多条规则同时命中以下事实", "请使条件互斥，或改用其他命中策略"),
            Self::Unreachable => ("该规则永远不会命中", "请删除，或移到遮蔽它的规则之前"),
            Self::Unproven => ("无法证明总有规则命中", "请增加默认输出"),
            Self::UnprovenOverlap => ("无法证明以下规则互斥", "请用常量书写条件，或改用 FIRST 命中策略"),
            Self::Cells => ("规则的单元格数与列数不符", "请补齐该行，任意取值处填 -"),
            Self::HitPolicy => ("命中策略不适用", "请改用其他命中策略；PRIORITY 须列出输出值的优先顺序"),
            Self::SilentNull => ("结果可能为空（null）", "请写明决定的内容，例如 0 或理由，不要留空"),
            Self::Duplicate => ("有两个同名元素", "请更改其中一个的名称"),
            Self::Untyped => ("输入没有类型", "请选择类型，例如 number、string 或 date"),
            Self::Expression(fault) => (
                fault.zh(),
                match fault {
                    Fault::UnknownName => "请补充信息依赖，或更正名称",
                    Fault::NotDeterministic => "请将区块时间或该值作为输入",
                    Fault::NamedZone => "请使用 +08:00 这样的偏移，或 Asia/Shanghai",
                    Fault::NoLogic => "请补充决策逻辑",
                    Fault::TypeMismatch | Fault::OperandKind | Fault::Argument => "请更正类型",
                    _ => "请更正表达式",
                },
            ),
        }
    }
}

impl Refusal {
    /// What is wrong and what to do about it, in English.
    pub fn texts_en(&self) -> (&'static str, &'static str) {
        self.reason.en()
    }

    /// What is wrong and what to do about it, in Chinese.
    pub fn texts_zh(&self) -> (&'static str, &'static str) {
        self.reason.zh()
    }

    /// The refusal as a sentence in English.
    pub fn en(&self) -> String {
        let (what, remedy) = self.reason.en();
        format!("{}: {what} ({}); {remedy}", self.element, self.detail)
    }

    /// The refusal as a sentence in Chinese.
    pub fn zh(&self) -> String {
        let (what, remedy) = self.reason.zh();
        format!("{}：{what}（{}）；{remedy}", self.element, self.detail)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}
