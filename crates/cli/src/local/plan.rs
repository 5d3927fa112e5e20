//! The plan of a network: who takes part, who validates, who acts for whom.

use serde::{Deserialize, Serialize};
use zhulian_execution::{Class, Role};
use zhulian_modules::identity::{MemberId, OrganisationName, Uscc};
use zhulian_primitives::Protocol;

use crate::{
    failure::{Exit, Failure, Result},
    text::Text,
};

/// A network to be founded, as a JSON file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The network's name.
    pub name: String,
    /// Its first organisations.
    pub organisations: Vec<OrganisationPlan>,
    /// Blocks of an epoch, with which the validators may change; 4,096 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_blocks: Option<u64>,
    /// The protocol that it begins with, when some offices have an older build; the newest if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// An organisation of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationPlan {
    /// A short name for files: `data`, `court`.
    pub handle: String,
    /// Unified social credit code.
    pub uscc: String,
    /// `government`, `judicial`, `financial`, `social` or `enterprise`.
    pub class: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: Option<String>,
    /// Whether it votes on motions.
    pub votes: bool,
    /// Whether it runs a validator.
    pub validator: bool,
    /// Its first members.
    pub members: Vec<MemberPlan>,
}

/// A member of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberPlan {
    /// Its id in the organisation: a pseudonym, never a person's name.
    pub member: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its public key, if it has one already; otherwise a key is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// The class of this name.
pub fn parse_class(name: &str) -> Option<Class> {
    Some(match name {
        "government" => Class::Government,
        "judicial" => Class::Judicial,
        "financial" => Class::Financial,
        "social" => Class::Social,
        "enterprise" => Class::Enterprise,
        _ => return None,
    })
}

impl Plan {
    /// The demonstration city: Mingzhu (明珠市), which does not exist. Its region code 3399 is not assigned, so that none of the
    /// codes is that of a real office.
    pub fn demo() -> Self {
        // Handle, code, class, names, and what it takes part in: validators run a node, voters vote, offices work on cases.
        const VALIDATOR: u8 = 2;
        const VOTER: u8 = 1;
        const OFFICE: u8 = 0;
        let rows = [
            (
                "data",
                "11339900MA0HL001",
                "government",
                "明珠市政务服务和数据管理局",
                "Mingzhu Government Services and Data Bureau",
                VALIDATOR,
            ),
            ("court", "11339900MA0HL002", "judicial", "明珠市互联网法院", "Mingzhu Internet Court", VALIDATOR),
            (
                "registry",
                "12339900MA0HL003",
                "government",
                "明珠市不动产登记中心",
                "Mingzhu Real Estate Registration Centre",
                VALIDATOR,
            ),
            ("bank", "91339900MA0HL004", "financial", "明珠银行股份有限公司", "Bank of Mingzhu", VALIDATOR),
            (
                "fund",
                "12339900MA0HL005",
                "government",
                "明珠市住房公积金管理中心",
                "Mingzhu Housing Provident Fund Centre",
                VOTER,
            ),
            ("market", "11339900MA0HL006", "government", "明珠市市场监督管理局", "Mingzhu Market Regulation Bureau", VOTER),
            ("notary", "12339900MA0HL007", "social", "明珠市公证处", "Mingzhu Notary Office", VOTER),
            ("hospital", "12339900MA0HL008", "social", "明珠市第一人民医院", "Mingzhu First People's Hospital", VOTER),
            ("builder", "91339900MA0HL009", "enterprise", "明珠城市建设有限公司", "Mingzhu Urban Construction Co.", OFFICE),
            // Offices that the scenarios' procedures name.
            ("housing", "11339900MA0HL011", "government", "明珠市住房和城乡建设局", "Mingzhu Housing Bureau", OFFICE),
            ("tax", "11339900MA0HL012", "government", "明珠市税务局", "Mingzhu Tax Bureau", OFFICE),
            ("civil", "11339900MA0HL013", "government", "明珠市民政局", "Mingzhu Civil Affairs Bureau", OFFICE),
            ("hr", "11339900MA0HL014", "government", "明珠市人力资源和社会保障局", "Mingzhu Human Resources Bureau", OFFICE),
            ("utilities", "91339900MA0HL015", "enterprise", "明珠公用事业有限公司", "Mingzhu Utilities Co.", OFFICE),
            ("customs", "11339900MA0HL016", "government", "明珠海关", "Mingzhu Customs", OFFICE),
            ("street", "11339900MA0HL017", "government", "明珠市江畔街道办事处", "Mingzhu Riverside Subdistrict", OFFICE),
            ("medins", "11339900MA0HL018", "government", "明珠市医疗保障局", "Mingzhu Medical Insurance Bureau", OFFICE),
            ("finance", "11339900MA0HL019", "government", "明珠市财政局", "Mingzhu Finance Bureau", OFFICE),
            ("police", "11339900MA0HL020", "government", "明珠市公安局", "Mingzhu Police", OFFICE),
            ("supervision", "11339900MA0HL021", "government", "明珠市政务监督中心", "Mingzhu Supervision Centre", OFFICE),
        ];
        let organisation = |(handle, first, class, zh, en, part): (&str, &str, &str, &str, &str, u8)| {
            let mut members = vec![
                member("sysadmin", &["system_admin"]),
                member("secadmin", &["security_admin"]),
                member("auditor", &["audit_admin"]),
                member("representative", &["representative"]),
                member("officer", &["officer"]),
            ];
            if class == "judicial" {
                members.push(member("judge", &["judge"]));
            }
            OrganisationPlan {
                handle: handle.into(),
                uscc: demo_uscc(first),
                class: class.into(),
                zh: zh.into(),
                en: Some(en.into()),
                votes: part >= VOTER,
                validator: part == VALIDATOR,
                members,
            }
        };
        Self {
            name: "明珠市治理主链（演示）".into(),
            organisations: rows.into_iter().map(organisation).collect(),
            epoch_blocks: None,
            protocol: None,
        }
    }

    /// Reads a plan and checks what can be checked before keys exist.
    ///
    /// # Errors
    /// When it is not of this shape, or a code, name, class or role is not valid.
    pub fn parse(text: &str) -> Result<Self> {
        let plan: Self = serde_json::from_str(text).map_err(|error| unfit(error.to_string()))?;
        plan.check()?;
        Ok(plan)
    }

    /// Checks codes, names, classes and roles.
    ///
    /// # Errors
    /// Naming the first that is not valid.
    pub fn check(&self) -> Result<()> {
        let mut handles = std::collections::BTreeSet::new();
        for organisation in &self.organisations {
            let OrganisationPlan { handle, uscc, class, zh, en, members, .. } = organisation;
            let plain =
                !handle.is_empty() && handle.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !plain || !handles.insert(handle) {
                return Err(unfit(format!("handle {handle:?}: distinct, of a-z, 0-9 and -")));
            }
            Uscc::parse(uscc)
                .map_err(|_| unfit(format!("{handle}: {uscc:?} is no unified social credit code (GB 32100-2015)")))?;
            parse_class(class).ok_or_else(|| unfit(format!("{handle}: no class {class:?}")))?;
            for name in std::iter::once(zh).chain(en) {
                OrganisationName::parse(name).map_err(|_| unfit(format!("{handle}: {name:?} cannot be a name")))?;
            }
            for member in members {
                let id = &member.member;
                MemberId::parse(id).map_err(|_| unfit(format!("{handle}: {id:?} cannot be the id of a member")))?;
                if let Some(role) = member.roles.iter().find(|role| Role::parse(role).is_none()) {
                    return Err(unfit(format!("{handle}.{id}: no role {role:?}")));
                }
            }
        }
        Ok(())
    }

    /// The plan's text.
    ///
    /// # Panics
    /// Never: a plan serialises.
    pub fn print(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan serialises") + "\n"
    }
}

fn member(id: &str, roles: &[&str]) -> MemberPlan {
    MemberPlan { member: id.into(), roles: roles.iter().map(|role| (*role).into()).collect(), public_key: None }
}

/// A code with valid check characters from its first 16: that of the organisation code (GB 11714-1997), then its own
/// (GB 32100-2015).
fn demo_uscc(first: &str) -> String {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let body = first.chars().skip(8).map(|c| c.to_digit(36).unwrap_or(0));
    let sum: u32 = body.zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    };
    let seventeen = format!("{first}{check}");
    Uscc::complete(&seventeen).map_or(seventeen, |code| code.to_string())
}

fn unfit(why: String) -> Failure {
    Failure::new(Exit::Usage, "plan", Text::fixed("网络方案不符合要求", "the plan of the network is not valid"))
        .why(why)
        .next(Text::fixed(
            "可参照 zhulian network plan 输出的示例修改",
            "compare it with the example that `zhulian network plan` prints",
        ))
}
