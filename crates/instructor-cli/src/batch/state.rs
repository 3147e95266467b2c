//! The job file: all that a later step has to know.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use instructor::Contract;
use instructor::batch::{BatchInput, BatchJob};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::args::Create;
use crate::args::{Asking, Whom};
use crate::failure::Failure;
use crate::run::args::Format;
use crate::run::prompt::Prompt;
use crate::run::source;

/// What is in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// Of this file.
    format: u32,
    /// Which batch of these rows it is, counted from 1.
    pub(crate) round: u32,
    /// How many requests go into one batch of the provider's, if that is to be less than it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<u64>,
    pub(crate) rows: Rows,
    whom: Provider,
    asking: Question,
    schema: Value,
    pub(crate) job: BatchJob,
}

/// The form of the file that this writes.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) path: PathBuf,
    form: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Provider {
    provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key_env: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Question {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extra: Vec<(String, Value)>,
}

impl State {
    /// Of what the arguments say. `spec` is who is asked, as it came out.
    pub(crate) fn new(args: &Create, spec: String, contract: &Contract, job: BatchJob) -> Result<Self, Failure> {
        let Create { whom, asking, .. } = args;
        let path = std::path::absolute(&args.rows).map_err(|e| source::unread(&args.rows, &e))?;
        let name =
            |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| value().map(|v| String::from(v.get_name()));
        let form = args.form();
        Ok(Self {
            format: FORMAT,
            round: 1,
            part: (args.part < u64::MAX).then_some(args.part),
            rows: Rows {
                path,
                form: name(&|| form.to_possible_value()).unwrap_or_default(),
                column: args.column.clone(),
                // What a file has may be another tomorrow.
                template: args.template.as_deref().map(crate::run::prompt::written).transpose()?,
                key: args.key.clone(),
            },
            whom: Provider {
                provider: spec,
                base_url: whom.base_url.clone(),
                protocol: whom.protocol.and_then(|protocol| name(&|| protocol.to_possible_value())),
                api_key_env: whom.api_key_env.clone(),
            },
            asking: Question {
                system: asking.system.clone(),
                prompt: asking.prompt.clone(),
                mode: asking.mode.to_string(),
                temperature: asking.temperature,
                max_tokens: asking.max_tokens,
                reasoning: asking.reasoning.map(|reasoning| reasoning.to_string()),
                extra: asking.extra.clone(),
            },
            schema: contract.schema().clone(),
            job,
        })
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|e| source::unread(path, &e))?;
        let foreign = |why: String| {
            Failure::setup(format!("{} is no job file: {why}", path.display()))
                .hint("`instructor batch create` writes one")
        };
        let state: Self = serde_json::from_str(&text).map_err(|error| foreign(error.to_string()))?;
        if state.format != FORMAT {
            return Err(foreign(format!("it has the format {}, and this reads {FORMAT}", state.format)));
        }
        Ok(state)
    }

    /// Writes the file in one go, so that there always is one that is whole.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|e| unwritten(path, &e.into()))?;
        replace(path, |file| writeln!(file, "{text}"))
    }

    pub(crate) fn part(&self) -> u64 {
        self.part.unwrap_or(u64::MAX)
    }

    pub(crate) fn whom(&self) -> Whom {
        let Provider { provider, base_url, protocol, api_key_env } = self.whom.clone();
        let protocol = protocol.and_then(|name| ValueEnum::from_str(&name, false).ok());
        Whom { provider: Some(provider), base_url, protocol, api_key_env }
    }

    pub(crate) fn asking(&self) -> Result<Asking, Failure> {
        let Question { system, prompt, mode, temperature, max_tokens, reasoning, extra } = self.asking.clone();
        let wrong = |error: String| Failure::setup(format!("the job file can't be read: {error}"));
        Ok(Asking {
            system,
            prompt,
            mode: mode.parse().map_err(|error| wrong(format!("{error}")))?,
            shape_model: None,
            temperature,
            max_tokens,
            reasoning: reasoning.map(|text| text.parse()).transpose().map_err(|error| wrong(format!("{error}")))?,
            extra,
        })
    }

    pub(crate) fn contract(&self) -> Result<Contract, Failure> {
        Contract::from_schema(self.schema.clone()).map_err(|e| Failure::from_kind(e.kind(), e.to_string()))
    }

    /// The rows again, and their texts.
    pub(crate) fn prompt(&self) -> Result<(Prompt, Format), Failure> {
        let Rows { form, column, template, key, .. } = &self.rows;
        let format = ValueEnum::from_str(form, false)
            .map_err(|_| Failure::setup(format!("the job file names an unknown form of rows: {form}")))?;
        Ok((Prompt::of(column.as_deref(), template.as_deref(), key.as_deref())?, format))
    }
}

impl Create {
    pub(crate) fn form(&self) -> Format {
        self.input_format.unwrap_or_else(|| source::format(&self.rows))
    }

    /// The job file.
    pub(crate) fn job(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| self.rows.with_extension("batch.json"))
    }
}

/// A file beside a job file.
pub(crate) fn beside(job: &Path, what: &str) -> PathBuf {
    job.with_extension(format!("{what}.jsonl"))
}

pub(crate) fn requests(job: &Path) -> BatchInput {
    BatchInput::file(beside(job, "requests"))
}

/// The job file of the next batch of the same rows.
pub(crate) fn next(job: &Path, round: u32) -> PathBuf {
    let name = job.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".json").unwrap_or(&name);
    let name = name.strip_suffix(&format!("-{}", round - 1)).unwrap_or(name);
    job.with_file_name(format!("{name}-{round}.json"))
}

/// Writes a file beside itself, and puts it in its place when it is whole.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut std::io::BufWriter<fs::File>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".part");
    let part = PathBuf::from(name);
    let written = fs::File::create(&part).and_then(|file| {
        let mut file = std::io::BufWriter::new(file);
        write(&mut file)?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, path)
    });
    written.map_err(|e| unwritten(path, &e))
}

pub(crate) fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unexpected(format!("{} can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_job_stand_beside_each_other() {
        let job = Path::new("in/tickets.batch.json");
        assert_eq!(beside(job, "out"), Path::new("in/tickets.batch.out.jsonl"));
        let second = next(job, 2);
        assert_eq!(second, Path::new("in/tickets.batch-2.json"));
        assert_eq!(next(&second, 3), Path::new("in/tickets.batch-3.json"));
        assert_eq!(beside(&second, "failed"), Path::new("in/tickets.batch-2.failed.jsonl"));
    }
}
