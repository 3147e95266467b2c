//! The providers that are known by name, one row each. A new provider that speaks a known protocol is one row here and
//! nothing anywhere else: specs, suggestions, key variables, the command line's list and the encode tests iterate this.
//!
//! The order is the order in which `Client::from_env` looks for keys.

use super::batches::{FILES, JOBS, MESSAGES, OPERATIONS};
use super::{
    ANTHROPIC_COMPATIBLE, ANTHROPIC_PUBLISHED, Auth, BEDROCK_CONVERSE, Batches, COHERE_CHAT, GEMINI_COMPATIBLE,
    GEMINI_PUBLISHED, Login, OLLAMA_CHAT, OPENAI_COMPATIBLE, OPENAI_KEYED, OPENAI_RESPONSES_COMPATIBLE, Quirks, Row,
    dial,
};
use crate::mode::Mode;
use crate::schema::Dialect;

pub(crate) const TABLE: &[Row] = &[
    Row {
        id: "openai",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        base_url: "https://api.openai.com/v1",
        base_url_env: "OPENAI_BASE_URL",
        key_env: &["OPENAI_API_KEY"],
        preferred: Mode::Schema,
        dialect: Dialect::OpenAi,
        max_tokens_field: "max_completion_tokens",
        default_model: Some("gpt-5-mini"),
        quirks: Quirks::CACHE_KEY,
        batches: Some(&FILES),
        tuning: true,
        ..OPENAI_KEYED
    },
    Row {
        id: "openai_responses",
        telemetry: "openai",
        docs: "https://platform.openai.com/docs/api-reference/responses",
        base_url: "https://api.openai.com/v1",
        base_url_env: "OPENAI_BASE_URL",
        key_env: &["OPENAI_API_KEY"],
        keyless: false,
        preferred: Mode::Schema,
        dialect: Dialect::OpenAi,
        default_model: Some("gpt-5-mini"),
        quirks: Quirks::CACHE_KEY,
        batches: Some(&FILES),
        tuning: true,
        ..OPENAI_RESPONSES_COMPATIBLE
    },
    Row {
        id: "anthropic",
        docs: "https://docs.claude.com/en/api/messages",
        base_url: "https://api.anthropic.com",
        base_url_env: "ANTHROPIC_BASE_URL",
        key_env: &["ANTHROPIC_API_KEY"],
        keyless: false,
        default_model: Some("claude-haiku-4-5"),
        batches: Some(&MESSAGES),
        ..ANTHROPIC_COMPATIBLE
    },
    Row {
        id: "gemini",
        also: &["google", "genai", "generative-ai"],
        telemetry: "gcp.gemini",
        docs: "https://ai.google.dev/api/generate-content",
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        base_url_env: "GEMINI_BASE_URL",
        key_env: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        keyless: false,
        default_model: Some("gemini-2.5-flash"),
        batches: Some(&OPERATIONS),
        ..GEMINI_COMPATIBLE
    },
    Row {
        id: "vertexai",
        telemetry: "gcp.vertex_ai",
        docs: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
        base_url: "https://{GOOGLE_CLOUD_LOCATION:global}-aiplatform.googleapis.com/v1beta1/projects/{GOOGLE_CLOUD_PROJECT}/locations/{GOOGLE_CLOUD_LOCATION:global}",
        base_url_env: "VERTEXAI_BASE_URL",
        // a token, such as `gcloud auth print-access-token` prints
        key_env: &["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"],
        keyless: false,
        default_model: Some("gemini-2.5-flash"),
        ..GEMINI_PUBLISHED
    },
    Row {
        id: "vertexai_anthropic",
        also: &["anthropic_vertex"],
        telemetry: "gcp.vertex_ai",
        docs: "https://docs.claude.com/en/api/claude-on-vertex-ai",
        base_url: "https://{GOOGLE_CLOUD_LOCATION:global}-aiplatform.googleapis.com/v1/projects/{GOOGLE_CLOUD_PROJECT}/locations/{GOOGLE_CLOUD_LOCATION:global}",
        base_url_env: "ANTHROPIC_VERTEX_BASE_URL",
        key_env: &["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"],
        keyless: false,
        ..ANTHROPIC_PUBLISHED
    },
    Row {
        id: "groq",
        docs: "https://console.groq.com/docs",
        base_url: "https://api.groq.com/openai/v1",
        base_url_env: "GROQ_BASE_URL",
        key_env: &["GROQ_API_KEY"],
        dialect: Dialect::Groq,
        default_model: Some("llama-3.3-70b-versatile"),
        // Qwen takes "none" and "default" only
        reasoning: &[("qwen", &dial::EFFORT_NONE), ("", &dial::EFFORT)],
        // a stream of json_schema or json_object is a 400
        quirks: Quirks::NO_STREAMED_JSON,
        // a file of at most 100 MB
        batches: Some(&Batches { bytes: 100_000_000, ..FILES }),
        ..OPENAI_KEYED
    },
    Row {
        id: "openrouter",
        docs: "https://openrouter.ai/docs",
        base_url: "https://openrouter.ai/api/v1",
        base_url_env: "OPENROUTER_BASE_URL",
        key_env: &["OPENROUTER_API_KEY"],
        // reasoning_details have to come back in tool turns; it fetches documents itself and hands films on
        quirks: Quirks::ECHO_REASONING
            .and(Quirks::FILE_BY_URL)
            .and(Quirks::VIDEO_PARTS)
            .and(Quirks::CACHE_CONTROL)
            .and(Quirks::COST_IN_DOLLARS),
        default_model: Some("openai/gpt-5-mini"),
        reasoning: &[("", &dial::ROUTED)],
        ..OPENAI_KEYED
    },
    Row {
        id: "ollama",
        docs: "https://docs.ollama.com/openai",
        base_url: "http://localhost:11434/v1",
        base_url_env: "OLLAMA_BASE_URL",
        key_env: &["OLLAMA_API_KEY"],
        // tool_choice is ignored, so a call can't be forced; the schema becomes a grammar that the model never sees;
        // an image at a URL is a 400, and so is a `file` part
        preferred: Mode::Schema,
        dialect: Dialect::Ollama,
        quirks: Quirks::SCHEMA_UNSEEN.and(Quirks::NO_IMAGE_URLS).and(Quirks::NO_FILE_PARTS),
        ..OPENAI_COMPATIBLE
    },
    Row {
        id: "ollama_chat",
        also: &["ollama_native"],
        telemetry: "ollama",
        docs: "https://docs.ollama.com/api",
        base_url: "http://localhost:11434",
        base_url_env: "OLLAMA_API_BASE",
        key_env: &["OLLAMA_API_KEY"],
        ..OLLAMA_CHAT
    },
    Row {
        id: "azure_openai",
        also: &["azure"],
        telemetry: "azure.ai.openai",
        docs: "https://learn.microsoft.com/azure/ai-services/openai/",
        base_url: "{AZURE_OPENAI_ENDPOINT}/openai/v1",
        key_env: &["AZURE_OPENAI_API_KEY"],
        auth: Auth::Header("api-key"),
        login: Some(Login::Entra { token_env: "AZURE_OPENAI_AD_TOKEN" }),
        preferred: Mode::Schema,
        dialect: Dialect::OpenAi,
        max_tokens_field: "max_completion_tokens",
        // chat takes no `file` part
        quirks: Quirks::NO_FILE_PARTS.and(Quirks::CACHE_KEY),
        batches: Some(&FILES),
        tuning: true,
        ..OPENAI_KEYED
    },
    Row {
        id: "azure_deployments",
        telemetry: "azure.ai.openai",
        docs: "https://learn.microsoft.com/azure/ai-services/openai/reference",
        // the older form of the same service: the model is the deployment's name
        base_url: "{AZURE_OPENAI_ENDPOINT}/openai/deployments/{model}?api-version={OPENAI_API_VERSION:2024-10-21}",
        key_env: &["AZURE_OPENAI_API_KEY"],
        auth: Auth::Header("api-key"),
        login: Some(Login::Entra { token_env: "AZURE_OPENAI_AD_TOKEN" }),
        preferred: Mode::Schema,
        dialect: Dialect::OpenAi,
        max_tokens_field: "max_completion_tokens",
        // chat takes no `file` part
        quirks: Quirks::NO_FILE_PARTS,
        ..OPENAI_KEYED
    },
    Row {
        id: "mistral",
        also: &["mistralai"],
        telemetry: "mistral_ai",
        docs: "https://docs.mistral.ai/api",
        base_url: "https://api.mistral.ai/v1",
        base_url_env: "MISTRAL_BASE_URL",
        key_env: &["MISTRAL_API_KEY"],
        dialect: Dialect::Mistral,
        default_model: Some("mistral-small-latest"),
        // parts are `document_url`, and `input_audio` with the bare base64 text
        quirks: Quirks::FLAT_PARTS.and(Quirks::CACHE_KEY).and(Quirks::NO_STREAM_OPTIONS),
        batches: Some(&JOBS),
        ..OPENAI_KEYED
    },
    Row {
        id: "together",
        also: &["together_ai"],
        docs: "https://docs.together.ai",
        base_url: "https://api.together.xyz/v1",
        base_url_env: "TOGETHER_BASE_URL",
        key_env: &["TOGETHER_API_KEY"],
        ..OPENAI_KEYED
    },
    Row {
        id: "fireworks",
        also: &["fireworks_ai"],
        docs: "https://docs.fireworks.ai",
        base_url: "https://api.fireworks.ai/inference/v1",
        base_url_env: "FIREWORKS_BASE_URL",
        key_env: &["FIREWORKS_API_KEY"],
        preferred: Mode::Schema,
        dialect: Dialect::Fireworks,
        ..OPENAI_KEYED
    },
    Row {
        id: "cerebras",
        docs: "https://inference-docs.cerebras.ai",
        base_url: "https://api.cerebras.ai/v1",
        base_url_env: "CEREBRAS_BASE_URL",
        key_env: &["CEREBRAS_API_KEY"],
        preferred: Mode::Schema,
        dialect: Dialect::Cerebras,
        max_tokens_field: "max_completion_tokens",
        ..OPENAI_KEYED
    },
    Row {
        id: "deepseek",
        docs: "https://api-docs.deepseek.com",
        base_url: "https://api.deepseek.com",
        base_url_env: "DEEPSEEK_BASE_URL",
        key_env: &["DEEPSEEK_API_KEY"],
        modes: &[Mode::Tools, Mode::Json],
        // no json_schema; a tool turn without its reasoning_content is a 400; so is `image_url`
        quirks: Quirks::ECHO_REASONING.and(Quirks::TEXT_ONLY),
        default_model: Some("deepseek-chat"),
        reasoning: &[("deepseek-chat", &dial::SWITCH_AND_EFFORT_IF_TOLD), ("", &dial::SWITCH_AND_EFFORT)],
        ..OPENAI_KEYED
    },
    Row {
        id: "xai",
        telemetry: "x_ai",
        docs: "https://docs.x.ai",
        base_url: "https://api.x.ai/v1",
        base_url_env: "XAI_BASE_URL",
        key_env: &["XAI_API_KEY"],
        preferred: Mode::Schema,
        dialect: Dialect::Xai,
        // completion_tokens leaves reasoning_tokens out
        quirks: Quirks::REASONING_ON_TOP,
        // reasoning_effort is taken by some models only
        reasoning: &[("grok-3-mini", &dial::EFFORT_LOW_HIGH), ("grok-4-", &dial::NONE), ("", &dial::EFFORT)],
        ..OPENAI_KEYED
    },
    Row {
        id: "sambanova",
        docs: "https://docs.sambanova.ai",
        base_url: "https://api.sambanova.ai/v1",
        base_url_env: "SAMBANOVA_BASE_URL",
        key_env: &["SAMBANOVA_API_KEY"],
        ..OPENAI_KEYED
    },
    Row {
        id: "databricks",
        docs: "https://docs.databricks.com/aws/en/machine-learning/model-serving",
        base_url: "{DATABRICKS_HOST}/serving-endpoints",
        key_env: &["DATABRICKS_TOKEN"],
        preferred: Mode::Schema,
        ..OPENAI_KEYED
    },
    Row {
        id: "writer",
        docs: "https://dev.writer.com",
        base_url: "https://api.writer.com/v1",
        base_url_env: "WRITER_BASE_URL",
        key_env: &["WRITER_API_KEY"],
        modes: &[Mode::Schema, Mode::Tools],
        quirks: Quirks::CHOICE_IS_AUTO,
        reasoning: &[],
        ..OPENAI_KEYED
    },
    Row {
        id: "anyscale",
        docs: "https://docs.anyscale.com",
        base_url: "https://api.endpoints.anyscale.com/v1",
        base_url_env: "ANYSCALE_BASE_URL",
        key_env: &["ANYSCALE_API_KEY"],
        preferred: Mode::Schema,
        ..OPENAI_KEYED
    },
    Row {
        id: "huggingface",
        also: &["hf"],
        docs: "https://huggingface.co/docs/inference-providers",
        base_url: "https://router.huggingface.co/v1",
        base_url_env: "HF_BASE_URL",
        key_env: &["HF_TOKEN"],
        ..OPENAI_KEYED
    },
    Row {
        id: "nvidia",
        also: &["nvidia_nim"],
        docs: "https://docs.api.nvidia.com",
        base_url: "https://integrate.api.nvidia.com/v1",
        base_url_env: "NVIDIA_BASE_URL",
        key_env: &["NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"],
        ..OPENAI_KEYED
    },
    Row {
        id: "cloudflare",
        docs: "https://developers.cloudflare.com/workers-ai",
        base_url: "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        key_env: &["CLOUDFLARE_API_TOKEN"],
        preferred: Mode::Schema,
        // its JSON mode has no streams
        quirks: Quirks::NO_STREAMED_JSON,
        ..OPENAI_KEYED
    },
    Row {
        id: "moonshot",
        also: &["moonshotai"],
        telemetry: "moonshot_ai",
        docs: "https://platform.moonshot.ai/docs",
        base_url: "https://api.moonshot.ai/v1",
        base_url_env: "MOONSHOT_BASE_URL",
        key_env: &["MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY"],
        modes: &[Mode::Tools, Mode::Json],
        // tool_choice is auto only; reasoning_content has to come back
        quirks: Quirks::CHOICE_IS_AUTO.and(Quirks::ECHO_REASONING),
        reasoning: &[("kimi-k3", &dial::EFFORT_ALWAYS), ("kimi-k2.7-code", &dial::NONE), ("", &dial::SWITCH)],
        ..OPENAI_KEYED
    },
    Row {
        id: "dashscope",
        also: &["qwen", "alibaba"],
        docs: "https://www.alibabacloud.com/help/en/model-studio",
        base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        base_url_env: "DASHSCOPE_BASE_URL",
        key_env: &["DASHSCOPE_API_KEY", "ALIBABA_API_KEY"],
        // no `file` part; the omni models want sound as a data URL
        quirks: Quirks::NO_FILE_PARTS.and(Quirks::AUDIO_IS_DATA_URL),
        reasoning: &[("", &dial::FLAG)],
        ..OPENAI_KEYED
    },
    Row {
        id: "zai",
        also: &["zhipu"],
        docs: "https://docs.z.ai",
        base_url: "https://api.z.ai/api/paas/v4",
        base_url_env: "ZAI_BASE_URL",
        key_env: &["ZAI_API_KEY", "ZHIPUAI_API_KEY"],
        preferred: Mode::Json,
        modes: &[Mode::Tools, Mode::Json],
        // no json_schema, tool_choice is auto only; reasoning_content has to come back
        quirks: Quirks::CHOICE_IS_AUTO.and(Quirks::ECHO_REASONING).and(Quirks::NO_STREAM_OPTIONS),
        // GLM-5.3 always thinks
        reasoning: &[("glm-5.3", &dial::EFFORT_ALWAYS), ("", &dial::SWITCH)],
        ..OPENAI_KEYED
    },
    Row {
        id: "minimax",
        docs: "https://platform.minimax.io/docs",
        base_url: "https://api.minimax.io/v1",
        base_url_env: "MINIMAX_BASE_URL",
        key_env: &["MINIMAX_API_KEY"],
        modes: &[Mode::Tools, Mode::Json],
        max_tokens_field: "max_completion_tokens",
        // M2 always thinks
        reasoning: &[("MiniMax-M2", &dial::NONE), ("", &dial::SWITCH)],
        ..OPENAI_KEYED
    },
    Row {
        id: "deepinfra",
        docs: "https://deepinfra.com/docs",
        base_url: "https://api.deepinfra.com/v1/openai",
        base_url_env: "DEEPINFRA_BASE_URL",
        key_env: &["DEEPINFRA_API_KEY"],
        ..OPENAI_KEYED
    },
    Row {
        id: "nebius",
        docs: "https://docs.studio.nebius.com",
        base_url: "https://api.studio.nebius.com/v1",
        base_url_env: "NEBIUS_BASE_URL",
        key_env: &["NEBIUS_API_KEY"],
        ..OPENAI_KEYED
    },
    Row {
        id: "baseten",
        docs: "https://docs.baseten.co",
        base_url: "https://inference.baseten.co/v1",
        base_url_env: "BASETEN_BASE_URL",
        key_env: &["BASETEN_API_KEY"],
        ..OPENAI_KEYED
    },
    Row {
        id: "vercel",
        docs: "https://vercel.com/docs/ai-gateway",
        base_url: "https://ai-gateway.vercel.sh/v1",
        base_url_env: "AI_GATEWAY_BASE_URL",
        key_env: &["AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY"],
        reasoning: &[("", &dial::ROUTED)],
        ..OPENAI_KEYED
    },
    Row {
        id: "litellm",
        also: &["litellm_proxy"],
        docs: "https://docs.litellm.ai",
        // a proxy: what works depends on the model behind it
        base_url: "http://localhost:4000",
        base_url_env: "LITELLM_PROXY_API_BASE",
        key_env: &["LITELLM_PROXY_API_KEY"],
        keyless: true,
        reasoning: &[("", &dial::PROXIED)],
        quirks: Quirks::CACHE_CONTROL,
        ..OPENAI_KEYED
    },
    Row {
        id: "truefoundry",
        docs: "https://docs.truefoundry.com",
        base_url: "https://gateway.truefoundry.ai",
        base_url_env: "TFY_BASE_URL",
        key_env: &["TFY_API_KEY"],
        reasoning: &[("", &dial::PROXIED)],
        ..OPENAI_KEYED
    },
    Row {
        id: "llamacpp",
        docs: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        base_url: "http://localhost:8080/v1",
        base_url_env: "LLAMACPP_BASE_URL",
        key_env: &["LLAMACPP_API_KEY"],
        keyless: true,
        preferred: Mode::Schema,
        dialect: Dialect::LlamaCpp,
        // a named tool_choice is taken for auto; the schema becomes a grammar that the model never sees;
        // parts are text, images and sound, any other is an "unsupported content[].type"
        quirks: Quirks::CHOICE_IS_WORD
            .and(Quirks::SCHEMA_UNSEEN)
            .and(Quirks::ECHO_REASONING)
            .and(Quirks::NO_FILE_PARTS),
        reasoning: &[("", &dial::TEMPLATE_ALONE)],
        ..OPENAI_KEYED
    },
    Row {
        id: "vllm",
        docs: "https://docs.vllm.ai",
        base_url: "http://localhost:8000/v1",
        base_url_env: "VLLM_BASE_URL",
        key_env: &["VLLM_API_KEY"],
        keyless: true,
        preferred: Mode::Schema,
        // named tools and schemas are decoded under constraint; the schema is not shown to the model
        quirks: Quirks::SCHEMA_UNSEEN,
        reasoning: &[("", &dial::TEMPLATE)],
        ..OPENAI_KEYED
    },
    Row {
        id: "sglang",
        docs: "https://docs.sglang.ai",
        base_url: "http://localhost:30000/v1",
        base_url_env: "SGLANG_BASE_URL",
        key_env: &["SGLANG_API_KEY"],
        keyless: true,
        preferred: Mode::Schema,
        quirks: Quirks::SCHEMA_UNSEEN,
        reasoning: &[("", &dial::TEMPLATE)],
        ..OPENAI_KEYED
    },
    Row {
        id: "lmstudio",
        docs: "https://lmstudio.ai/docs",
        base_url: "http://localhost:1234/v1",
        base_url_env: "LM_STUDIO_BASE_URL",
        key_env: &["LM_STUDIO_API_KEY"],
        keyless: true,
        preferred: Mode::Schema,
        modes: &[Mode::Schema, Mode::Tools],
        dialect: Dialect::LlamaCpp,
        // json_object is refused; tool_choice is a word
        quirks: Quirks::CHOICE_IS_WORD.and(Quirks::SCHEMA_UNSEEN),
        ..OPENAI_KEYED
    },
    Row {
        id: "cortex",
        docs: "https://cortex.so/docs",
        base_url: "http://localhost:39281/v1",
        base_url_env: "CORTEX_BASE_URL",
        key_env: &["CORTEX_API_KEY"],
        keyless: true,
        preferred: Mode::Schema,
        dialect: Dialect::LlamaCpp,
        // runs llama.cpp
        quirks: Quirks::CHOICE_IS_WORD.and(Quirks::SCHEMA_UNSEEN).and(Quirks::NO_FILE_PARTS),
        reasoning: &[("", &dial::TEMPLATE_ALONE)],
        ..OPENAI_KEYED
    },
    Row {
        id: "cohere",
        docs: "https://docs.cohere.com/reference/chat",
        base_url: "https://api.cohere.com",
        base_url_env: "CO_API_URL",
        key_env: &["CO_API_KEY", "COHERE_API_KEY"],
        keyless: false,
        default_model: Some("command-a-03-2025"),
        ..COHERE_CHAT
    },
    Row {
        id: "bedrock",
        telemetry: "aws.bedrock",
        docs: "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html",
        base_url: "https://bedrock-runtime.{AWS_REGION:us-east-1}.amazonaws.com",
        base_url_env: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        // else requests are signed
        key_env: &["AWS_BEARER_TOKEN_BEDROCK"],
        keyless: false,
        default_model: Some("global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ..BEDROCK_CONVERSE
    },
    Row {
        id: "perplexity",
        docs: "https://docs.perplexity.ai",
        base_url: "https://api.perplexity.ai/v1",
        base_url_env: "PERPLEXITY_BASE_URL",
        key_env: &["PERPLEXITY_API_KEY"],
        keyless: false,
        preferred: Mode::Schema,
        // its chat completions ended in September 2026
        modes: &[Mode::Schema],
        ..OPENAI_RESPONSES_COMPATIBLE
    },
    Row {
        id: "azure_responses",
        telemetry: "azure.ai.openai",
        docs: "https://learn.microsoft.com/azure/ai-services/openai/how-to/responses",
        base_url: "{AZURE_OPENAI_ENDPOINT}/openai/v1",
        key_env: &["AZURE_OPENAI_API_KEY"],
        keyless: false,
        auth: Auth::Header("api-key"),
        login: Some(Login::Entra { token_env: "AZURE_OPENAI_AD_TOKEN" }),
        preferred: Mode::Schema,
        dialect: Dialect::OpenAi,
        quirks: Quirks::CACHE_KEY,
        batches: Some(&FILES),
        tuning: true,
        ..OPENAI_RESPONSES_COMPATIBLE
    },
    Row {
        id: "xai_responses",
        telemetry: "x_ai",
        docs: "https://docs.x.ai",
        base_url: "https://api.x.ai/v1",
        base_url_env: "XAI_BASE_URL",
        key_env: &["XAI_API_KEY"],
        keyless: false,
        preferred: Mode::Schema,
        dialect: Dialect::Xai,
        ..OPENAI_RESPONSES_COMPATIBLE
    },
    Row {
        id: "fake",
        docs: "https://docs.rs/instructor-rs/latest/instructor/struct.FakeModel.html",
        // nothing is sent there: the name is reserved for what is nowhere
        base_url: "http://fake.invalid/v1",
        fake: true,
        default_model: Some("1"),
        ..OPENAI_COMPATIBLE
    },
];
