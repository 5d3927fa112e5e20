//! Lists: one struct for each, since the published document needs a name for each.

/// Declares a part of a list.
macro_rules! list {
    ($(#[$about:meta])* $name:ident of $item:ty) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub struct $name {
            /// The items of this part.
            pub items: Vec<$item>,
            /// Cursor of the following part; absent at the end.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub next: Option<String>,
        }
    };
}
pub(crate) use list;
