//! Finds, in one file, the places that may be changed, and what is put around them.

use crate::{Mutant, Place};
use proc_macro2::Span;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A place with its changes: what to write before and after it. (A closing text stands before what opens at the same byte; of two
/// that open there, the outer one is first.)
pub struct Site {
    pub range: Range<usize>,
    pub before: String,
    pub after: String,
}

/// Goes through a file, and takes the changes that it has a place for out of `mutants`.
pub struct Finder<'a> {
    text: &'a str,
    pub mutants: BTreeMap<Place, Vec<Mutant>>,
    pub sites: Vec<Site>,
    pub placed: Vec<(usize, String)>,
    /// Changes that are not even syntax.
    pub nonsense: Vec<usize>,
}

/// Between these two, what a change is made of. `blame` looks for them.
pub fn marked(number: usize, text: &str) -> String {
    format!("/*<{number}*/{text}/*{number}>*/")
}

fn active(mutants: &[Mutant]) -> String {
    let (first, last) =
        (mutants.first().map_or(0, |one| one.number), mutants.last().map_or(0, |one| one.number));
    format!("crate::mutant::active({first}, {last})")
}

fn is(number: usize) -> String {
    format!("(crate::mutant::active({number}, {number}) == {number})")
}

impl<'a> Finder<'a> {
    pub fn new(text: &'a str, mutants: BTreeMap<Place, Vec<Mutant>>) -> Self {
        Self { text, mutants, sites: Vec::new(), placed: Vec::new(), nonsense: Vec::new() }
    }

    /// The changes of a kind that begin at `span`.
    fn take(&mut self, genre: &str, span: Span) -> Vec<Mutant> {
        let start = span.start();
        let place = (genre.to_owned(), start.line as u64, start.column as u64 + 1);
        let found = self.mutants.remove(&place).unwrap_or_default();
        self.placed.extend(found.iter().map(|one| (one.number, one.name.clone())));
        found
    }

    fn source(&self, range: Range<usize>) -> &'a str {
        &self.text[range]
    }

    fn put(&mut self, range: Range<usize>, before: String, after: &str) {
        self.sites.push(Site { range, before, after: after.to_owned() });
    }

    /// Instead of the expression at `range`, one of `changed`: the text of each change.
    fn choose(
        &mut self,
        range: Range<usize>,
        mutants: &[Mutant],
        changed: impl Fn(&Mutant) -> String,
    ) {
        let mut arms = String::new();
        for mutant in mutants {
            let text = changed(mutant);
            if syn::parse_str::<syn::Expr>(&text).is_ok() {
                let arm = marked(mutant.number, &format!("({text})"));
                arms += &format!("{} => {arm}, ", mutant.number);
            } else {
                self.nonsense.push(mutant.number);
            }
        }
        if !arms.is_empty() {
            self.put(range, format!("(match {} {{ {arms}_ => (", active(mutants)), ") })");
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        if signature.constness.is_some() {
            return;
        }
        if has_hidden_type(&signature.output) {
            return self.visit_block(block);
        }
        let mutants = self.take("FnValue", first.span());
        let mut early = String::new();
        for one in &mutants {
            let give = marked(one.number, &format!("return {};", one.replacement));
            early += &format!("if {} {{ {give} }} ", is(one.number));
        }
        let start = first.span().byte_range().start;
        self.put(start..start, early, "");
        self.visit_block(block);
    }
}

/// Whether a function returns `impl …`: then all its returns have one type.
fn has_hidden_type(output: &syn::ReturnType) -> bool {
    match output {
        syn::ReturnType::Type(_, of) => matches!(**of, syn::Type::ImplTrait(_)),
        syn::ReturnType::Default => false,
    }
}

fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => {
            has_let(&both.left) || has_let(&both.right)
        }
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, it: &'ast syn::ItemFn) {
        self.function(&it.sig, &it.block);
    }

    fn visit_impl_item_fn(&mut self, it: &'ast syn::ImplItemFn) {
        self.function(&it.sig, &it.block);
    }

    fn visit_trait_item_fn(&mut self, it: &'ast syn::TraitItemFn) {
        if let Some(block) = &it.default {
            self.function(&it.sig, block);
        }
    }

    fn visit_expr_binary(&mut self, it: &'ast syn::ExprBinary) {
        let mutants = self.take("BinaryOperator", it.op.span());
        let operator = it.op.span().byte_range();
        let whole = it.span().byte_range();
        if has_let(&it.left) || has_let(&it.right) {
            self.nonsense.extend(mutants.iter().map(|one| one.number));
        } else {
            let (left, right) =
                (self.source(whole.start..operator.start), self.source(operator.end..whole.end));
            self.choose(whole, &mutants, |one| format!("{left}{}{right}", one.replacement));
        }
        visit::visit_expr_binary(self, it);
    }

    fn visit_expr_unary(&mut self, it: &'ast syn::ExprUnary) {
        let mutants = self.take("UnaryOperator", it.op.span());
        let rest = self.source(it.expr.span().byte_range());
        self.choose(it.span().byte_range(), &mutants, |_| rest.to_owned());
        visit::visit_expr_unary(self, it);
    }

    fn visit_expr_match(&mut self, it: &'ast syn::ExprMatch) {
        let is_whole = |arm: &syn::Arm| matches!(arm.pat, syn::Pat::Wild(_)) && arm.guard.is_none();
        let is_complete = it.arms.iter().any(is_whole);
        for arm in &it.arms {
            for one in self.take("MatchArm", arm.span()) {
                let end = arm.pat.span().byte_range().end;
                match is_complete {
                    true => self.put(end..end, format!(" if !{}", is(one.number)), ""),
                    false => self.nonsense.push(one.number),
                }
            }
        }
        visit::visit_expr_match(self, it);
    }

    fn visit_arm(&mut self, it: &'ast syn::Arm) {
        if let Some((_, guard)) = &it.guard {
            let range = guard.span().byte_range();
            for one in self.take("MatchArmGuard", guard.span()) {
                let is = is(one.number);
                match (one.replacement == "true", has_let(guard)) {
                    (true, false) => self.put(range.clone(), format!("({is} || "), ")"),
                    (true, true) => self.nonsense.push(one.number),
                    (false, false) => self.put(range.clone(), format!("!{is} && ("), ")"),
                    (false, true) => self.put(range.clone(), format!("!{is} && "), ""),
                }
            }
        }
        visit::visit_arm(self, it);
    }

    fn visit_expr_struct(&mut self, it: &'ast syn::ExprStruct) {
        let whole = it.span().byte_range();
        let mut mutants = Vec::new();
        let mut without = BTreeMap::new();
        for pair in it.fields.pairs() {
            let field = pair.value().span();
            let end =
                pair.punct().map_or(field.byte_range().end, |comma| comma.span().byte_range().end);
            for one in self.take("StructField", field) {
                let (head, tail) = (
                    self.source(whole.start..field.byte_range().start),
                    self.source(end..whole.end),
                );
                without.insert(one.number, format!("{head}{tail}"));
                mutants.push(one);
            }
        }
        self.choose(whole, &mutants, |one| without[&one.number].clone());
        visit::visit_expr_struct(self, it);
    }

    // Nothing can be decided in a constant or a pattern.

    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_variant(&mut self, _: &'ast syn::Variant) {}
    fn visit_expr_repeat(&mut self, it: &'ast syn::ExprRepeat) {
        self.visit_expr(&it.expr);
    }
}
