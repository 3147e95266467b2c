//! A model of half a megabyte with random weights, written as a GGUF file. It knows no language, but speaks the whole
//! protocol: it is held to schemas and tools by the server's grammars, and says anything else otherwise.

use std::io;
use std::path::Path;

/// Width of a token, and of the layers.
const WIDTH: usize = 64;
const HIDDEN: usize = 128;
const LAYERS: u32 = 2;
const HEADS: u32 = 4;
const KEY_HEADS: u32 = 2;
const HEAD_WIDTH: usize = WIDTH / HEADS as usize;
const KEY_WIDTH: usize = HEAD_WIDTH * KEY_HEADS as usize;
const CONTEXT: u32 = 32_768;

/// How a chat is put into text, tools included. The server finds the form of tool calls by trying it out.
const TEMPLATE: &str = include_str!("template.jinja");

/// Kinds of tokens, in the numbers of the format.
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const OWN: i32 = 4;
const BYTE: i32 = 6;

struct Token {
    text: String,
    kind: i32,
    /// How likely it is, against the noise: a logit.
    bias: f32,
}

/// Every byte, so that any text can be said, and what a chat needs besides.
fn vocabulary() -> Vec<Token> {
    let token = |text: &str, kind, bias| Token { text: String::from(text), kind, bias };
    let mut tokens = vec![
        token("<unk>", UNKNOWN, -16.0),
        token("<s>", CONTROL, -16.0),
        token("</s>", CONTROL, -16.0),
        token("<|im_start|>", CONTROL, -16.0),
        token("<|im_end|>", CONTROL, 4.0),
        token("<tool_call>", OWN, 4.5),
        token("</tool_call>", OWN, 0.0),
        // The tokenizer's space.
        token("\u{2581}", NORMAL, 0.0),
    ];
    tokens.extend((0..=255_u8).map(|byte| {
        let bias = match byte {
            // What ends strings and lists, so that answers do.
            b'"' | b']' => 4.5,
            b'}' => 2.0,
            b'\n' | 0x21..0x7f => 0.0,
            _ => -16.0,
        };
        token(&format!("<0x{byte:02X}>"), BYTE, bias)
    }));
    tokens
}

/// Where tokens are that are told apart.
const BEGIN: u32 = 1;
const END: u32 = 4;
const CALL: usize = 5;
const CALLED: usize = 6;
const BYTES: usize = 8;

/// Writes the model.
pub(crate) fn write(path: &Path) -> io::Result<()> {
    let tokens = vocabulary();
    let mut random = fastrand::Rng::with_seed(7);
    let mut file = Gguf::default();
    file.text("general.architecture", "llama");
    file.text("general.name", "tiny-random");
    for (key, number) in [
        ("context_length", CONTEXT),
        ("embedding_length", WIDTH as u32),
        ("block_count", LAYERS),
        ("feed_forward_length", HIDDEN as u32),
        ("attention.head_count", HEADS),
        ("attention.head_count_kv", KEY_HEADS),
        ("rope.dimension_count", HEAD_WIDTH as u32),
        ("vocab_size", tokens.len() as u32),
    ] {
        file.number(&format!("llama.{key}"), number);
    }
    file.float("llama.attention.layer_norm_rms_epsilon", 1e-5);
    file.text("tokenizer.ggml.model", "llama");
    file.text("tokenizer.ggml.pre", "default");
    file.list("tokenizer.ggml.tokens", STRING, tokens.iter().map(|token| string(&token.text)));
    file.list("tokenizer.ggml.scores", F32, tokens.iter().map(|_| (-1.0_f32).to_le_bytes().to_vec()));
    file.list("tokenizer.ggml.token_type", I32, tokens.iter().map(|token| token.kind.to_le_bytes().to_vec()));
    file.number("tokenizer.ggml.bos_token_id", BEGIN);
    file.number("tokenizer.ggml.eos_token_id", END);
    file.number("tokenizer.ggml.unknown_token_id", 0);
    file.flag("tokenizer.ggml.add_bos_token", true);
    file.flag("tokenizer.ggml.add_space_prefix", false);
    file.text("tokenizer.chat_template", TEMPLATE);

    // The first number of every token is the same and large, so that after the norm it is about the root of the width:
    // what the last layer makes of it is a bias.
    let constant = (WIDTH as f32).sqrt();
    let mut embedding = noise(&mut random, WIDTH * tokens.len(), 0.05);
    let mut output = noise(&mut random, WIDTH * tokens.len(), 0.35);
    for (row, token) in tokens.iter().enumerate() {
        embedding[row * WIDTH] = 3.0;
        output[row * WIDTH] = token.bias / constant;
    }
    // What the second number says is that a line break comes next, which the server takes for the begin of a call.
    embedding[CALL * WIDTH + 1] = 3.0;
    output[(BYTES + usize::from(b'\n')) * WIDTH + 1] = 2.0;
    // What the third says is that the answer ends here, which it mostly does after a call.
    embedding[CALLED * WIDTH + 2] = 3.0;
    output[END as usize * WIDTH + 2] = 0.4;
    file.tensor("token_embd.weight", &[WIDTH, tokens.len()], &embedding);
    file.tensor("output.weight", &[WIDTH, tokens.len()], &output);
    file.tensor("output_norm.weight", &[WIDTH], &[1.0; WIDTH]);
    for layer in 0..LAYERS {
        for norm in ["attn_norm", "ffn_norm"] {
            file.tensor(&format!("blk.{layer}.{norm}.weight"), &[WIDTH], &[1.0; WIDTH]);
        }
        for (name, from, to) in [
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", WIDTH, KEY_WIDTH),
            ("attn_v", WIDTH, KEY_WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", WIDTH, HIDDEN),
            ("ffn_up", WIDTH, HIDDEN),
            ("ffn_down", HIDDEN, WIDTH),
        ] {
            let weights = noise(&mut random, from * to, 0.02);
            file.tensor(&format!("blk.{layer}.{name}.weight"), &[from, to], &weights);
        }
    }
    std::fs::write(path, file.bytes())
}

/// Numbers about zero with this deviation.
fn noise(random: &mut fastrand::Rng, count: usize, deviation: f32) -> Vec<f32> {
    let width = deviation * 12.0_f32.sqrt();
    (0..count).map(|_| (random.f32() - 0.5) * width).collect()
}

/// Types of values, in the numbers of the format.
const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Everything begins at a multiple of this.
const ALIGNMENT: usize = 32;

/// A file of the format: facts, then what tensors there are, then their numbers.
#[derive(Default)]
struct Gguf {
    facts: (u64, Vec<u8>),
    tensors: (u64, Vec<u8>),
    data: Vec<u8>,
}

impl Gguf {
    fn fact(&mut self, key: &str, kind: u32, value: &[u8]) {
        let (count, bytes) = &mut self.facts;
        *count += 1;
        bytes.extend(string(key));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(value);
    }

    fn text(&mut self, key: &str, value: &str) {
        self.fact(key, STRING, &string(value));
    }

    fn number(&mut self, key: &str, value: u32) {
        self.fact(key, U32, &value.to_le_bytes());
    }

    fn float(&mut self, key: &str, value: f32) {
        self.fact(key, F32, &value.to_le_bytes());
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.fact(key, BOOL, &[u8::from(value)]);
    }

    fn list(&mut self, key: &str, kind: u32, items: impl ExactSizeIterator<Item = Vec<u8>>) {
        let mut value = kind.to_le_bytes().to_vec();
        value.extend((items.len() as u64).to_le_bytes());
        value.extend(items.flatten());
        self.fact(key, ARRAY, &value);
    }

    fn tensor(&mut self, name: &str, dimensions: &[usize], numbers: &[f32]) {
        const NUMBERS_ARE_F32: u32 = 0;
        assert_eq!(dimensions.iter().product::<usize>(), numbers.len(), "{name}");
        let (count, bytes) = &mut self.tensors;
        *count += 1;
        bytes.extend(string(name));
        bytes.extend((dimensions.len() as u32).to_le_bytes());
        for dimension in dimensions {
            bytes.extend((*dimension as u64).to_le_bytes());
        }
        bytes.extend(NUMBERS_ARE_F32.to_le_bytes());
        bytes.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        align(&mut self.data);
    }

    fn bytes(self) -> Vec<u8> {
        let mut all = b"GGUF\x03\0\0\0".to_vec();
        all.extend(self.tensors.0.to_le_bytes());
        all.extend(self.facts.0.to_le_bytes());
        all.extend(self.facts.1);
        all.extend(self.tensors.1);
        align(&mut all);
        all.extend(self.data);
        all
    }
}

fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}
