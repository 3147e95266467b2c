//! Tables of a page, with as many cells in each row as there are columns, as Markdown.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::Issues;
use instructor::testing::{Reply, Script};
use serde_json::json;
use std::error::Error;

/// A table as it stands on the page.
#[instructor::model]
#[response(validate = is_even)]
struct Table {
    caption: Option<String>,
    #[schemars(length(min = 1))]
    columns: Vec<String>,
    /// Each with a cell for each column; an empty one is an empty text.
    rows: Vec<Vec<String>>,
}

fn is_even(table: &Table) -> Result<(), Issues> {
    let wanted = table.columns.len();
    let uneven = table.rows.iter().enumerate().filter(|(_, row)| row.len() != wanted);
    let issue = |(at, row): (usize, &Vec<String>)| {
        instructor::Issue::at(&format!("rows[{at}]"), format!("{wanted} cells")).got(format!("{} cells", row.len()))
    };
    Issues::from(uneven.map(issue).collect::<Vec<_>>()).into_result()
}

impl Table {
    fn to_markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = format!("|{}\n", "---|".repeat(self.columns.len()));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}{rows}", line(&self.columns))
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    // An image of the page is asked about in the same way, see `receipts.rs`.
    let tables: Vec<Table> = client.create("City Inhabitants\nParis 2.1 m\nRome 2.7 m").await?;
    for table in &tables {
        println!("{}\n{}", table.caption.as_deref().unwrap_or("A table"), table.to_markdown());
    }
    let first = tables.first().map(Table::to_markdown).unwrap_or_default();
    assert_eq!(first, "| City | Inhabitants |\n|---|---|\n| Paris | 2.1 m |\n| Rome | 2.7 m |\n");
    Ok(())
}

fn script() -> Script {
    let table = |rows| json!([{ "caption": "Cities", "columns": ["City", "Inhabitants"], "rows": rows }]);
    Script::new()
        .reply(Reply::value(table(json!([["Paris", "2.1", "m"], ["Rome", "2.7 m"]]))))
        .reply(Reply::value(table(json!([["Paris", "2.1 m"], ["Rome", "2.7 m"]]))))
}
