//! What a provider's batches are like, as data.

/// The batches of one provider.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "batch"), expect(dead_code, reason = "read where batches are made"))]
pub(crate) struct Batches {
    pub(crate) form: BatchForm,
    /// The most requests of one batch.
    pub(crate) requests: u64,
    /// The most bytes of one batch.
    pub(crate) bytes: u64,
    /// What a token costs of its usual price, in per cent.
    pub(crate) percent: u8,
    pub(crate) ids: Ids,
}

impl Batches {
    /// Whether it keeps files, as `/files` does.
    #[cfg(feature = "tuning")]
    pub(crate) fn has_files(&self) -> bool {
        matches!(self.form, BatchForm::Files | BatchForm::Jobs)
    }
}

/// By which protocol it takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchForm {
    /// A file is uploaded, and a batch made of it: `/files`, `/batches`.
    Files,
    /// A file is uploaded, and a job made of it for one model: `/files`, `/batch/jobs`.
    Jobs,
    /// All messages in one body: `/v1/messages/batches`.
    Messages,
    /// A file is uploaded, and an operation made of it: `:batchGenerateContent`.
    Operations,
}

/// What ids of requests may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Any text of so many bytes.
    Text(usize),
    /// So many ASCII letters, digits, `_` and `-`.
    Word(usize),
}

/// OpenAI's, and those of servers after it.
pub(crate) const FILES: Batches =
    Batches { form: BatchForm::Files, requests: 50_000, bytes: 200_000_000, percent: 50, ids: Ids::Text(512) };

/// Anthropic's.
pub(crate) const MESSAGES: Batches =
    Batches { form: BatchForm::Messages, requests: 100_000, bytes: 256_000_000, percent: 50, ids: Ids::Word(64) };

/// Gemini's. How many requests a file may have is not told; its size is.
pub(crate) const OPERATIONS: Batches =
    Batches { form: BatchForm::Operations, requests: u64::MAX, bytes: 2_000_000_000, percent: 50, ids: Ids::Text(512) };

/// Mistral's.
pub(crate) const JOBS: Batches =
    Batches { form: BatchForm::Jobs, requests: 1_000_000, bytes: 512_000_000, percent: 50, ids: Ids::Text(512) };
