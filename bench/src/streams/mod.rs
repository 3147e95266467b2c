//! Answers that arrive in deltas of 4 characters: what partials and items cost beside reading the stream once.

mod floor;
#[cfg(feature = "rivals")]
mod rival;
mod said;

use std::error::Error;
use std::hint::black_box;

use clap::ValueEnum;
use instructor::testing::{Reply, Script};
use instructor::{Client, Mode, Profile};

pub(crate) use self::floor::{again, by_hand};
#[cfg(feature = "rivals")]
pub(crate) use self::rival::Rival;
use self::said::{Catalogue, Entry};
pub(crate) use self::said::{Protocol, Said};
use crate::measure::{self, Program};
use crate::order::{KEY, MODEL, PROMPT};
use crate::report::Options;
use crate::server::Server;
use crate::table::{Limit, Table};
use crate::workload::{Load, Side};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A client of this protocol.
pub(crate) fn client(protocol: Protocol, base_url: &str) -> Result<Client> {
    let named = |id| Profile::named(id).map(|profile| profile.with_base_url(base_url)).ok_or("no such provider");
    let profile = match protocol {
        Protocol::Chat | Protocol::ChatText => Profile::openai_compatible("loopback", base_url),
        Protocol::Responses => Profile::openai_responses_compatible("loopback", base_url),
        Protocol::Anthropic => Profile::anthropic_compatible("loopback", base_url),
        Protocol::Gemini => Profile::gemini_compatible("loopback", base_url),
        Protocol::Cohere => named("cohere")?,
        Protocol::Bedrock => named("bedrock")?,
        Protocol::Ollama => named("ollama_chat")?,
    };
    let mode = match protocol {
        Protocol::ChatText | Protocol::Gemini | Protocol::Ollama => Mode::Schema,
        _ => Mode::Tools,
    };
    Ok(Client::builder().profile(profile).api_key(KEY).model(MODEL).mode(mode).build()?)
}

/// A typed view after each delta, or a snapshot of one's own; of a list, its items. How many entries there were.
pub(crate) async fn ours(said: Said, client: &Client, owned: bool) -> Result<usize> {
    let request = client.request(PROMPT);
    if said.list {
        let mut items = request.create_iterable::<Entry>().await?;
        let mut count = 0;
        while let Some(item) = items.next().await {
            black_box(item?);
            count += 1;
        }
        return if count == said.size { Ok(count) } else { Err(format!("{count} items").into()) };
    }
    let mut stream = request.create_partial::<Catalogue>().await?;
    while let Some(partial) = stream.next().await {
        if owned {
            drop(black_box(partial.clone()));
        } else {
            black_box(partial);
        }
    }
    Ok(stream.finish().await?.entries.len())
}

/// How many deltas were read when the first item was given, and when the last was, beyond those that hold its last byte;
/// and, of all items, the most.
fn late(said: Said) -> Result<[usize; 2]> {
    let [begin, deltas, end] = said.events();
    // Where in the body each delta ends, and where in the text each item does.
    let end_of = |at: &mut usize, event: &Vec<u8>| {
        *at += event.len();
        Some(*at)
    };
    let ends: Vec<usize> = deltas.iter().scan(begin.concat().len(), end_of).collect();
    let text = said.text();
    let closed: Vec<usize> = text.match_indices("]}").map(|(at, end)| at + end.len()).collect();
    let body = [begin.concat(), deltas.concat(), end.concat()].concat();
    // In pieces that are smaller than any event.
    let script = Script::new().reply(Reply::body(body).header("content-type", "text/event-stream").pieces(32));
    let client = script.builder("openai/gpt-5-mini").mode(Mode::Tools).build()?;
    script.block_on(async {
        let mut items = client.request(PROMPT).create_iterable::<Entry>().await?;
        let mut late = Vec::new();
        while let Some(item) = items.next().await {
            item?;
            let read = script.read().last().copied().unwrap_or_default();
            let deltas = ends.partition_point(|end| *end <= read);
            let needed = closed.get(late.len()).ok_or("more items than there are")?.div_ceil(4);
            late.push(deltas.saturating_sub(needed));
        }
        if late.len() != said.size {
            return Err(format!("{} items", late.len()).into());
        }
        Ok([late.first().copied().unwrap_or_default(), late.iter().copied().max().unwrap_or_default()])
    })
}

struct Bench {
    server: Server,
    table: Table,
}

/// Measures streams of several sizes, and of a list; or, of one size, each protocol's.
pub(crate) fn streams(options: Options, wires: bool) -> Result<()> {
    if !measure::has_valgrind() {
        return Err("no valgrind on this machine: streams are measured in instructions and allocations".into());
    }
    let mut bench = Bench { server: Server::start()?, table: Table::new(!options.json) };
    if wires {
        for &protocol in Protocol::value_variants() {
            bench.wire(protocol)?;
        }
    } else {
        bench.objects(if options.quick { &SIZES[..2] } else { &SIZES })?;
        bench.list()?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&bench.table.rows)?);
    }
    Ok(())
}

/// Scenarios, and their sizes in bytes.
const SIZES: [(&str, usize); 4] = [("4 KB", 4 << 10), ("16 KB", 16 << 10), ("64 KB", 64 << 10), ("256 KB", 256 << 10)];

/// How fast a cost grows with a size.
fn exponent((small, small_cost): (usize, f64), (large, large_cost): (usize, f64)) -> f64 {
    (large_cost / small_cost).ln() / (large as f64 / small as f64).ln()
}

impl Bench {
    fn program(&self, side: Side, said: Said, calls: u64) -> Result<Program> {
        let load = Load { calls, warm_up: 0, in_flight: 1, reask: false };
        Program::workload(side, load, &self.server.stream_url(said))
    }

    /// What a call takes: the difference of two runs.
    fn each(&self, side: Side, said: Said, figure: fn(&Program) -> Result<f64>) -> Result<f64> {
        // Long streams repeat well.
        let more = if said.text().len() > 32 << 10 { 1 } else { 5 };
        let upto = |calls| figure(&self.program(side, said, calls)?);
        Ok((upto(1 + more)? - upto(1)?) / more as f64)
    }

    fn objects(&mut self, sizes: &[(&'static str, usize)]) -> Result<()> {
        let mut costs: Vec<(usize, [f64; 2])> = Vec::new();
        let mut peaks: Vec<(usize, [f64; 2])> = Vec::new();
        for &(scenario, size) in sizes {
            let said = Said { protocol: Protocol::Chat, list: false, size };
            let bytes = said.text().len();
            let floor = self.each(Side::StreamFloor, said, Program::instructions)?;
            let view = self.each(Side::StreamOurs, said, Program::instructions)?;
            self.table.pairs(scenario, "instructions, a view each", vec![(floor, view)], Limit::Ratio(1.15));
            if let Some(&(smaller, [small_floor, small])) = costs.last() {
                let pair =
                    (exponent((smaller, small_floor), (bytes, floor)), exponent((smaller, small), (bytes, view)));
                self.table.pairs(scenario, "growth, exponent", vec![pair], Limit::Most(1.02));
            }
            costs.push((bytes, [floor, view]));
            let allocated = (
                self.each(Side::StreamFloor, said, Program::allocations)?,
                self.each(Side::StreamOurs, said, Program::allocations)?,
            );
            self.table.pairs(scenario, "allocations, a view each", vec![allocated], Limit::Ratio(1.2));
            let peak = |side| self.program(side, said, 1)?.peak_heap();
            let (floor_peak, peak) = (peak(Side::StreamFloor)?, peak(Side::StreamOurs)?);
            self.table.pairs(scenario, "peak heap, KiB", vec![(floor_peak / 1024.0, peak / 1024.0)], Limit::None);
            if let Some(&(smaller, [small_floor, small])) = peaks.last() {
                let more = (bytes - smaller) as f64;
                let pair = ((floor_peak - small_floor) / more, (peak - small) / more);
                self.table.pairs(scenario, "peak heap, a byte more", vec![pair], Limit::Most(3.0));
            }
            peaks.push((bytes, [floor_peak, peak]));
            if size <= 16 << 10 {
                self.against(scenario, said, floor)?;
            }
        }
        if let (Some(&(small, [small_floor, small_view])), Some(&(large, [floor, view]))) =
            (costs.first(), costs.last())
            && costs.len() > 2
        {
            let pair = (exponent((small, small_floor), (large, floor)), exponent((small, small_view), (large, view)));
            self.table.pairs("4 to 256 KB", "growth, exponent", vec![pair], Limit::Most(1.02));
        }
        Ok(())
    }

    /// What costs too much for larger ones.
    fn against(&mut self, scenario: &'static str, said: Said, floor: f64) -> Result<()> {
        let owned = self.each(Side::StreamOwned, said, Program::instructions)?;
        self.table.pairs(scenario, "instructions, a snapshot each", vec![(floor, owned)], Limit::None);
        let again = self.each(Side::StreamAgain, said, Program::instructions)?;
        self.table.pairs(scenario, "instructions, jiter again each", vec![(floor, again)], Limit::None);
        self.rival(scenario, said)
    }

    /// A rival, that reads the text of an answer.
    #[cfg(feature = "rivals")]
    fn rival(&mut self, scenario: &'static str, said: Said) -> Result<()> {
        let said = Said { protocol: Protocol::ChatText, ..said };
        let floor = self.each(Side::StreamFloor, said, Program::instructions)?;
        let rival = self.each(Side::StreamRival, said, Program::instructions)?;
        self.table.pairs(scenario, "instructions, rstructor", vec![(floor, rival)], Limit::None);
        let allocated = (
            self.each(Side::StreamFloor, said, Program::allocations)?,
            self.each(Side::StreamRival, said, Program::allocations)?,
        );
        self.table.pairs(scenario, "allocations, rstructor", vec![allocated], Limit::None);
        Ok(())
    }

    #[cfg(not(feature = "rivals"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the other")]
    fn rival(&mut self, _: &'static str, _: Said) -> Result<()> {
        Ok(())
    }

    fn list(&mut self) -> Result<()> {
        let scenario = "1,000 items";
        let said = Said { protocol: Protocol::Chat, list: true, size: 1000 };
        let [first, most] = late(said)?;
        self.table.pairs(scenario, "first item, deltas late", vec![(0.0, first as f64)], Limit::Most(1.0));
        self.table.pairs(scenario, "latest item, deltas late", vec![(0.0, most as f64)], Limit::Most(1.0));
        let floor = self.each(Side::StreamFloor, said, Program::instructions)?;
        let ours = self.each(Side::StreamOurs, said, Program::instructions)?;
        self.table.pairs(scenario, "instructions", vec![(floor, ours)], Limit::Ratio(1.15));
        let allocated = (
            self.each(Side::StreamFloor, said, Program::allocations)?,
            self.each(Side::StreamOurs, said, Program::allocations)?,
        );
        self.table.pairs(scenario, "allocations", vec![allocated], Limit::Ratio(1.2));
        let peak = |side| Ok::<_, Box<dyn Error + Send + Sync>>(self.program(side, said, 1)?.peak_heap()? / 1024.0);
        let peaks = (peak(Side::StreamFloor)?, peak(Side::StreamOurs)?);
        self.table.pairs(scenario, "peak heap, KiB", vec![peaks], Limit::None);
        self.rival(scenario, said)
    }

    fn wire(&mut self, protocol: Protocol) -> Result<()> {
        const SCENARIOS: [&str; 8] =
            ["chat", "chat, as text", "responses", "anthropic", "gemini", "cohere", "bedrock", "ollama"];
        let scenario = SCENARIOS.get(protocol as usize).copied().unwrap_or_default();
        let said = Said { protocol, list: false, size: 16 << 10 };
        for (measure, figure, limit) in [
            ("instructions, a view each", Program::instructions as fn(&Program) -> Result<f64>, Limit::Ratio(1.15)),
            ("allocations, a view each", Program::allocations, Limit::Ratio(1.2)),
        ] {
            let pair = (self.each(Side::StreamFloor, said, figure)?, self.each(Side::StreamOurs, said, figure)?);
            self.table.pairs(scenario, measure, vec![pair], limit);
        }
        Ok(())
    }
}
