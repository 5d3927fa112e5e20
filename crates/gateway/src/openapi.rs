//! The OpenAPI 3.1 document, printed from the handlers and views.

use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, ResponseBuilder, Schema, SchemaFormat, Type,
        header::HeaderBuilder, path::Operation, schema::AdditionalProperties,
    },
};
use zhulian_api::{PROBLEM_MEDIA_TYPE, Problem};

use crate::routes;

/// Bytes.
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).min_length(Some(1)).build().into()
    }
}

impl ToSchema for Binary {}

/// An object whose members depend on what it is about.
pub struct AnyObject;

impl PartialSchema for AnyObject {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .build()
            .into()
    }
}

impl ToSchema for AnyObject {}

macro_rules! texts {
    ($($(#[$about:meta])* $name:ident = $pattern:literal;)+) => {
        $(
            $(#[$about])*
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern)).build().into()
                }
            }

            impl ToSchema for $name {}
        )+

        fn text_schemas() -> Vec<(String, RefOr<Schema>)> {
            vec![$(($name::name().into_owned(), $name::schema()),)+]
        }
    };
}

texts! {
    /// Whether to wait.
    WaitFor = "^(finalised|none)$";
    /// A unified social credit code.
    OrganisationCode = "^[0-9A-Z]{18}$";
    /// A module's name.
    ModuleName = "^[a-z_]{1,32}$";
    /// A cursor of the list of transactions.
    TransactionCursor = "^t[0-7][0-9a-f]{15}[0-9a-f]{8}[0-7][0-9a-f]{15}$";
    /// A cursor of the list of evidence.
    EvidenceCursor = "^e[0-7][0-9a-f]{15}[0-9a-f]{8}[0-7][0-9a-f]{15}$";
    /// A cursor of the list of motions.
    MotionCursor = "^m[0-9a-f]{8}$";
    /// A cursor of the list of blocks.
    BlockCursor = "^b[0-7][0-9a-f]{15}$";
    /// A cursor of the list of organisations.
    OrganisationCursor = "^o[0-9a-f]{8}$";
    /// A rule pack's id.
    PackName = "^[a-z][a-z0-9-]{1,31}$";
    /// How a case stands.
    CaseStateName = "^(open|closed|granted|refused|withdrawn|done|failed)$";
    /// A role.
    RoleName = "^(system_admin|security_admin|audit_admin|representative|officer|judge)$";
    /// A cursor of the list of cases.
    CaseCursor = "^c[0-7][0-9a-f]{15}$";
    /// A cursor of the list of tasks.
    TaskCursor = "^k[0-7][0-9a-f]{15}[0-9a-f]{8}$";
    /// A cursor of the history of a case.
    CaseHistoryCursor = "^h[0-7][0-9a-f]{15}[0-9a-f]{8}[0-7][0-9a-f]{15}$";
    /// A cursor of the list of decisions.
    DecisionCursor = "^d[0-7][0-9a-f]{15}[0-9a-f]{8}[0-7][0-9a-f]{15}$";
    /// A cursor of the list of rule packs.
    PackCursor = "^p[0-9a-f]{8}$";
    /// A case number.
    CaseNumber = "^BJ[0-9]{8}-[0-9]{6}$";
    /// An evidence number, perhaps with the index of a batch's entry.
    EvidenceNumber = "^ZL[0-7][0-9A-HJKMNP-TV-Z]{25}[0-9A-HJKMNP-TV-Z*~$=U](-(0|[1-9][0-9]{0,8}))?$";
    /// An evidence number.
    DepositNumber = "^ZL[0-7][0-9A-HJKMNP-TV-Z]{25}[0-9A-HJKMNP-TV-Z*~$=U]$";
    /// The id of an event: height and index.
    EventId = "^(0|[1-9][0-9]{0,17}):(0|[1-9][0-9]{0,8})$";
    /// Kinds of events.
    EventTypes = "^[a-z_]{1,32}(,[a-z_]{1,32}){0,15}$";
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Zhulian 珠联",
        description = "A governance main chain for a city: deposit evidence, and prove offline what existed, when, and who vouched for it. Errors are RFC 9457 problems with a stable `code`; `/v1/errors` lists all.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        routes::node::network,
        routes::node::status,
        routes::node::diagnosis,
        routes::node::validators,
        routes::submit::submit,
        routes::transactions::list,
        routes::transactions::one,
        routes::transactions::receipt,
        routes::transactions::cose_receipt,
        routes::blocks::list,
        routes::blocks::one,
        routes::evidence::list,
        routes::evidence::one,
        routes::evidence::history,
        routes::evidence::receipt,
        routes::evidence::certificate_pdf,
        routes::evidence::answer,
        routes::evidence::upload,
        routes::organisations::list,
        routes::organisations::one,
        routes::organisations::motions,
        routes::cases::list,
        routes::cases::one,
        routes::cases::history,
        routes::cases::tasks,
        routes::packs::list,
        routes::packs::one,
        routes::packs::decisions,
        routes::packs::manifest,
        routes::packs::file,
        routes::state::one,
        routes::events::events,
        routes::health::live,
        routes::health::ready,
        routes::health::metrics,
        routes::catalogue::errors,
        routes::catalogue::openapi,
    ),
    components(schemas(Problem)),
    tags(
        (name = "network", description = "The network and the node"),
        (name = "transactions", description = "Submitting, finding and proving transactions"),
        (name = "evidence", description = "Deposited evidence: find, check, prove"),
        (name = "blocks", description = "Finalised blocks"),
        (name = "organisations", description = "Who takes part, and how they decide"),
        (name = "cases", description = "Cases of procedures, and the tasks that wait in them"),
        (name = "packs", description = "Rule packs: versions, votes, files, decisions"),
        (name = "state", description = "State values with proofs"),
        (name = "operation", description = "For operators and tools"),
    ),
)]
struct Document;

/// The problems that an operation may answer beside 500 and 503, which every one may.
fn problems(method: &str, path: &str) -> &'static [u16] {
    match (method, path) {
        ("post", "/v1/transactions") => &[400, 406, 413, 415, 422, 429],
        ("post", "/v1/evidence/check") => &[400, 406, 413, 415, 422],
        ("post", "/v1/evidence/batches/{id}/entries") => &[400, 404, 406, 409, 413, 415, 422],
        (_, "/v1/transactions/{id}/receipt" | "/v1/transactions/{id}/cose-receipt") => &[400, 404, 406, 409],
        (_, "/v1/transactions/{id}" | "/v1/state/{key}") => &[400],
        (_, "/v1/evidence/{id}/receipt" | "/v1/evidence/{id}/certificate.pdf") => &[400, 404, 406],
        (_, "/v1/manifests/{digest}/files/{sha256}") => &[400, 404, 406],
        (_, path) if path.contains('{') => &[400, 404],
        (_, "/v1/transactions" | "/v1/blocks" | "/v1/organisations" | "/v1/motions" | "/v1/evidence") => &[400],
        (_, "/v1/cases" | "/v1/tasks" | "/v1/packs") => &[400],
        (_, "/v1/events") => &[400, 404, 406],
        _ => &[],
    }
}

fn add_problem(operation: &mut Operation, status: u16) {
    let words =
        axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    let mut response = ResponseBuilder::new().description(words).content(PROBLEM_MEDIA_TYPE, content);
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
        let header =
            HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds to wait before the next try")).build();
        response = response.header("Retry-After", header);
    }
    operation.responses.responses.insert(status.to_string(), response.build().into());
}

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [("get", &mut item.get), ("post", &mut item.post)] {
            let Some(operation) = operation else { continue };
            for status in problems(method, path).iter().chain(&[500, 503]) {
                add_problem(operation, *status);
            }
        }
    }
    let components = document.components.get_or_insert_default();
    components.schemas.extend(text_schemas());
    components.schemas.insert(Binary::name().into_owned(), Binary::schema());
    components.schemas.insert(AnyObject::name().into_owned(), AnyObject::schema());
    document
}

/// The document's text, as served and as committed in `docs/openapi.json`.
pub fn text() -> String {
    let mut text = document().to_pretty_json().expect("the document serialises");
    text.push('\n');
    text
}
