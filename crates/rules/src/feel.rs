//! The expression language: text to compiled form in one pass.
//!
//! FEEL names may contain spaces and operators (`Own Cost`, `a+b`), so what a text means depends on the names in
//! scope. Lexing therefore only splits; the parser asks the scope for the longest name that fits.

mod brackets;
mod forms;
mod lexer;
mod names;
mod parser;
mod postfix;
mod primary;
mod scope;
mod typing;
mod unary;

pub(crate) use parser::SyntaxError;
pub(crate) use scope::{Global, Looks, Scope, TypeNames};

use crate::ir::{Ir, Test};
use crate::types::Type;

/// Longest expression text, in bytes.
pub(crate) const TEXT_MAX: usize = 64 * 1024;

/// Compiles an expression.
pub(crate) fn expression(scope: &mut Scope, text: &str) -> Result<(Ir, Type), SyntaxError> {
    parser::Parser::new(scope, text)?.whole_expression()
}

/// Compiles unary tests; the tested value is in `input`.
pub(crate) fn unary_tests(scope: &mut Scope, text: &str, input: u16, ty: &Type) -> Result<Box<[Test]>, SyntaxError> {
    parser::Parser::new(scope, text)?.whole_unary_tests(input, ty)
}
