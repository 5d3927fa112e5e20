//! Reading names, types and parameters.

use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::types::Type;
use crate::value::Name;
use std::sync::Arc;

const KEYWORDS: [&str; 18] = [
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "and",
    "or",
    "instance",
    "of",
    "between",
    "function",
    "true",
    "false",
    "null",
];

pub(super) fn is_keyword(text: &str) -> bool {
    KEYWORDS.contains(&text)
}

impl Parser<'_, '_> {
    /// The parts of a name that nothing in scope knows: name parts up to a keyword or symbol.
    pub(super) fn free_name(&mut self) -> Parsed<String> {
        if self.kind() != Kind::Ident {
            return self.fail("a name is expected");
        }
        let mut name = self.text().to_owned();
        self.next();
        while self.kind() == Kind::Ident && !is_keyword(self.text()) {
            name.push(' ');
            name.push_str(self.text());
            self.next();
        }
        Ok(name)
    }

    /// The name of a new variable: everything up to one of the symbols or words.
    pub(super) fn new_name(&mut self, until: &[&str]) -> Parsed<Name> {
        let start = self.token().start;
        let mut end = start;
        let mut parts = 0;
        while self.kind() != Kind::End && !until.contains(&self.text()) {
            if self.kind() == Kind::Text || parts > 32 {
                return self.fail("a name is expected");
            }
            end = self.token().end;
            parts += 1;
            self.next();
        }
        if parts == 0 {
            return self.fail("a name is expected");
        }
        let written: Vec<&str> = self.source()[start..end].split_whitespace().collect();
        Ok(Name::from(written.join(" ")))
    }

    /// A type: a name, or `list<T>`, `range<T>`, `context<a: T>`, `function<T, U> -> V`.
    pub(super) fn type_name(&mut self) -> Parsed<Type> {
        self.enter()?;
        let ty = self.type_name_inner();
        self.exit();
        ty
    }

    fn type_name_inner(&mut self) -> Parsed<Type> {
        let generic = self.text_at(1) == "<";
        match self.text() {
            "list" if generic => {
                self.skip(2);
                let item = self.type_name()?;
                self.expect(">")?;
                Ok(Type::list(item))
            }
            "range" if generic => {
                self.skip(2);
                let item = self.type_name()?;
                self.expect(">")?;
                Ok(Type::Range(Arc::new(item)))
            }
            "context" if generic => {
                self.skip(2);
                let mut members = Vec::new();
                while !self.eat(">") {
                    let name = self.new_name(&[":"])?;
                    self.expect(":")?;
                    members.push((name, self.type_name()?));
                    if !self.eat(",") && self.text() != ">" {
                        return self.fail("`>` is expected");
                    }
                }
                Ok(Type::Context(members.into()))
            }
            "function" if generic => {
                self.skip(2);
                let mut parameters = Vec::new();
                while !self.eat(">") {
                    parameters.push(self.type_name()?);
                    if !self.eat(",") && self.text() != ">" {
                        return self.fail("`>` is expected");
                    }
                }
                self.expect("->")?;
                Ok(Type::Function(parameters.into(), Arc::new(self.type_name()?)))
            }
            _ => {
                let types = self.scope().types.clone();
                if let Some((length, ty)) = types.longest(&|i| self.part(i)) {
                    self.skip(length);
                    return Ok(ty);
                }
                self.fail("a type is expected")
            }
        }
    }
}
