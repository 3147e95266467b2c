//! What is wrong only when several attributes are seen together.

use crate::ast::Container;
use crate::ctxt::Ctxt;

pub(crate) fn check(container: &Container<'_>, ctxt: &mut Ctxt) {
    for field in container.fields().filter(|field| field.skip) {
        for rule in field.rules.iter().chain(&field.checks) {
            ctxt.error(
                rule,
                "serde skips this field, so no answer fills it and there is nothing to validate: \
                 remove the function or the skip",
            );
        }
    }
}
