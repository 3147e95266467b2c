//! Several calls in one answer: each is an item of the list that was asked for.

use super::Said;
use super::answer::{Answer, index_of, unreadable};
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::model::{Tool, Toolset};
use crate::repair::{ParseOptions, Repair};
use crate::schema::{Dialect, Item, Lowered, Reader, nearest};
use crate::validate::{Issue, Issues, Origin, Path};
use crate::wire::{Choice, Output, Response, Shape};

/// What is asked for after an answer without calls.
pub(super) const AGAIN: &str = "Answer with calls of the tools, all that are needed and with all of this corrected.";

pub(super) fn shapes(set: &Toolset) -> Vec<Shape<'_>> {
    set.tools.iter().filter_map(shape).collect()
}

fn shape(tool: &Tool) -> Option<Shape<'_>> {
    let lowered = lowered(tool)?;
    let (name, description) = (tool.contract.tool_name(), tool.contract.description());
    Some(Shape { name, description, schema: &lowered.schema, strict: lowered.strict })
}

/// The arguments in the form in which they go out.
fn lowered(tool: &Tool) -> Option<&Lowered> {
    tool.contract.lowered(Dialect::Plain).ok()
}

pub(super) fn lower<'s>(set: &'s Toolset, tools: &'s [Shape<'s>], forcing: bool) -> Said<'s> {
    let (choice, instructions) =
        if forcing { (Choice::Any, set.about.as_deref()) } else { (Choice::Auto, Some(set.prompt.as_str())) };
    Said { output: Output::Tools { tools, choice }, instructions, nudge: None }
}

/// Reads each call by itself, so that what is wrong with one is said of that one.
pub(super) fn answer<'r>(set: &Toolset, response: &'r Response, options: ParseOptions) -> Result<Answer<'r>, Issue> {
    if response.tool_calls().next().is_none() {
        let text = response.text();
        // Servers that take tools without enforcing them answer in text: it is read like any other.
        if text.contains(['{', '[']) {
            return Ok(Answer::from(text));
        }
        return Err(unreadable(format!("calls of the tools {}", names(set))).got("no tool call"));
    }
    let (mut items, mut places) = (Vec::new(), Vec::new());
    let (mut repairs, mut issues) = (Vec::new(), Issues::new());
    for (index, call) in response.tool_calls().enumerate() {
        match item(set, index, call, options, &mut repairs) {
            Ok(item) => {
                items.push(item);
                places.push(index);
            }
            Err(wrong) => issues.extend(wrong),
        }
    }
    Ok(Answer::of_items(format!("[{}]", items.join(",")), repairs, issues, places))
}

/// The item that a call is, or what is wrong with it.
pub(super) fn item(
    set: &Toolset,
    index: usize,
    call: &ToolCall,
    options: ParseOptions,
    repairs: &mut Vec<Repair>,
) -> Result<String, Issues> {
    let Some(tool) = find(set, &call.name) else {
        let near = nearest(&call.name, set.tools.iter().map(|tool| tool.contract.tool_name()));
        let issue = unreadable(format!("a call of one of the tools {}", names(set)));
        let issue = issue.got(format!("a call of {:?}", call.name)).within(&Path::root().index(index));
        return Err(near.map_or(issue.clone(), |near| issue.nearest(near)).into());
    };
    let place = tool.item.place(index);
    let within = |issues: Issues| {
        let mut all = Issues::new();
        all.extend_within(&place, issues);
        all
    };
    let reader = Reader {
        schema: tool.contract.schema(),
        check: &|node| tool.contract.issues(node),
        secret: &|path| tool.contract.is_secret(path),
        lowered: lowered(tool).filter(|lowered| !lowered.is_identity()),
        options,
        always: false,
    };
    // What takes no arguments is called with none.
    let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
    let found = reader.read(text).map_err(|issue| within(issue.into()))?;
    repairs.extend(found.repairs.iter().cloned().map(|mut repair| {
        repair.path = repair.path.within(&place);
        repair
    }));
    if found.truncated {
        let wanted = "complete arguments; the call ends inside them";
        return Err(within(Issue::found_by(Origin::Reading, Path::root(), wanted).into()));
    }
    if !found.issues.is_empty() {
        return Err(within(found.issues));
    }
    Ok(tool.item.of(found.value()))
}

pub(super) fn find<'t>(set: &'t Toolset, name: &str) -> Option<&'t Tool> {
    set.tools.iter().find(|tool| tool.contract.tool_name() == name)
}

fn names(set: &Toolset) -> String {
    let names: Vec<String> = set.tools.iter().map(|tool| format!("{:?}", tool.contract.tool_name())).collect();
    names.join(", ")
}

/// Every call of the turn gets its result: its own issues, in the terms of its arguments, or that it was right.
pub(super) fn reask(set: &Toolset, rejected: Response, issues: &Issues) -> Vec<Message> {
    let calls = rejected.tool_calls().count();
    let mut found: Vec<Vec<Issue>> = vec![Vec::new(); calls];
    let mut whole = Vec::new();
    for issue in issues.as_slice() {
        let call = index_of(issue.path()).and_then(|at| Some((at, rejected.tool_calls().nth(at)?)));
        match call.and_then(|(at, call)| Some((found.get_mut(at)?, told(set, at, call, issue)))) {
            Some((own, issue)) => own.push(issue),
            None => whole.push(issue.clone()),
        }
    }
    // What is said of all calls is said once, with the last that is rejected.
    let last = found.iter().rposition(|own| !own.is_empty()).unwrap_or(calls.saturating_sub(1));
    let results = rejected.tool_calls().zip(found).enumerate().map(|(at, (call, own))| {
        let mut said = Vec::new();
        if !own.is_empty() {
            said.push(format!("This call was rejected:\n{}", Issues::from(own)));
        }
        if at == last && !whole.is_empty() {
            said.push(format!("The calls were rejected as a whole:\n{}", Issues::from(std::mem::take(&mut whole))));
        }
        if at == last {
            said.push(String::from(ALL_AGAIN));
        }
        let accepted = said.is_empty();
        let text = if accepted { String::from(OK) } else { said.join("\n") };
        Part::ToolResult(ToolResult { call_id: call.id.clone(), text, is_error: !accepted })
    });
    let results = Message::new(Role::Tool, results.collect::<Vec<_>>());
    rejected.into_turn().into_iter().chain([results]).collect()
}

const OK: &str = "ok";

const ALL_AGAIN: &str =
    "Make all calls of this turn again: the rejected ones with all of this corrected, the others as they were.";

/// An issue of an item in the terms of the call that the item was made of.
fn told(set: &Toolset, index: usize, call: &ToolCall, issue: &Issue) -> Issue {
    let Some(tool) = find(set, &call.name) else {
        return issue.clone().told_at(Path::root(), None, None);
    };
    let item = Path::root().index(index);
    let inside = issue.path().inside(&tool.item.place(index)).or_else(|| issue.path().inside(&item));
    let wrapped = lowered(tool).is_some_and(|lowered| !lowered.is_identity());
    let path = inside.unwrap_or_else(Path::root);
    let path = match tool.item {
        Item::Word(_) => path,
        _ if wrapped => path.within(&Path::root().key("value")),
        _ => path,
    };
    issue.clone().told_at(path, None, None)
}
