//! Calls of functions: by a listed name, with plain arguments and no clause.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::{Expr, Result, Walk, fold, refused, short};
use crate::schema::expr::AuthFunction;
use crate::schema::expr::functions::{self, Form};
use crate::schema::fault::Fault;

impl Walk<'_> {
    pub(super) fn function(&mut self, function: &ast::Function, depth: usize) -> Result<Expr> {
        let ast::Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment,
            over,
        } = function;
        let plain = !uses_odbc_syntax
            && matches!(parameters, FunctionArguments::None)
            && within_group.is_empty()
            && filter.is_none()
            && null_treatment.is_none()
            && over.is_none();
        if !plain {
            return Err(refused(format!(
                "A clause of the function {}",
                short(&name.to_string())
            )));
        }
        let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(fold)).collect();
        let unknown = || {
            Fault::new(
                "",
                "expression/unknown-function",
                format!("The function {} is not allowed", short(&name.to_string())),
            )
            .hint(format!(
                "Allowed are auth.uid, auth.role, auth.email, auth.jwt, extract, {}",
                names()
            ))
        };
        let parts = parts.ok_or_else(unknown)?;
        let arguments = self.arguments(name, args, depth);
        match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["auth", function] => {
                let function = AuthFunction::from_text(function).ok_or_else(unknown)?;
                if !self.scope.allow.auth {
                    return Err(refused(format!("auth.{}()", function.name())));
                }
                if !arguments?.is_some_and(|arguments| arguments.is_empty()) {
                    return Err(refused(format!("An argument of auth.{}()", function.name())));
                }
                Ok(Expr::Auth(function))
            }
            [function] => {
                let function = functions::find(function).ok_or_else(unknown)?;
                let arguments = arguments?;
                let (least, most) = function.arguments;
                let written = arguments.is_some() != (function.form == Form::Keyword);
                let arguments = arguments.unwrap_or_default();
                if !written || !(least..=most).contains(&arguments.len()) {
                    let message = format!("{} takes {least} to {most} arguments", function.name);
                    return Err(Fault::new("", "expression/arguments", message));
                }
                Ok(Expr::Call(function, arguments))
            }
            _ => Err(unknown()),
        }
    }

    /// The arguments; `None` without parentheses.
    fn arguments(
        &mut self,
        name: &ast::ObjectName,
        args: &FunctionArguments,
        depth: usize,
    ) -> Result<Option<Vec<Expr>>> {
        let odd = |what: &str| refused(format!("{what} in {}", short(&name.to_string())));
        let list = match args {
            FunctionArguments::None => return Ok(None),
            FunctionArguments::Subquery(_) => return Err(odd("A subquery")),
            FunctionArguments::List(list) => list,
        };
        let ast::FunctionArgumentList {
            duplicate_treatment,
            args,
            clauses,
        } = list;
        if duplicate_treatment.is_some() || !clauses.is_empty() {
            return Err(odd("A clause"));
        }
        let arguments = args.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(x)) => self.expr(x, depth),
            FunctionArg::Unnamed(_) => Err(odd("*")),
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => Err(odd("A named argument")),
        });
        arguments.collect::<Result<_>>().map(Some)
    }

    pub(super) fn call(&mut self, name: &str, arguments: &[&ast::Expr], depth: usize) -> Result<Expr> {
        let function = functions::find(name).ok_or_else(|| refused(name))?;
        let arguments = arguments
            .iter()
            .map(|argument| self.expr(argument, depth))
            .collect::<Result<_>>()?;
        Ok(Expr::Call(function, arguments))
    }
}

fn names() -> String {
    functions::FUNCTIONS
        .iter()
        .map(|function| function.name)
        .collect::<Vec<_>>()
        .join(", ")
}
