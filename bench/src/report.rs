//! All scenarios, both sides in turn, as a table of ratios.

use std::error::Error;

use clap::Args;
use serde::Serialize;

use crate::measure::{self, Program};
use crate::server::Server;
use crate::table::{Limit, Row, Table};
use crate::workload::{Load, Side, Took};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What a run of a program takes.
type Figure = fn(&Program) -> Result<f64>;

/// How to measure.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Fewer rounds and calls: for a look, not for a decision
    #[arg(long)]
    pub(crate) quick: bool,
    /// The rows as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    quick: bool,
    rounds: usize,
    notes: &'a [String],
    rows: &'a [Row],
}

struct Bench {
    server: Server,
    table: Table,
    valgrind: bool,
    quick: bool,
    rounds: usize,
}

/// Measures everything.
pub(crate) fn report(options: Options) -> Result<()> {
    let valgrind = measure::has_valgrind();
    let rounds = if options.quick { 3 } else { 9 };
    let table = Table::new(!options.json);
    let mut bench = Bench { server: Server::start()?, table, valgrind, quick: options.quick, rounds };
    if cfg!(debug_assertions) {
        bench.table.note("this is not a release build: its ratios mean nothing");
    }
    if !valgrind {
        bench.table.note("no valgrind on this machine: no rows of instructions and allocations");
    }
    bench.extract("extract", Side::Floor, Side::Ours, true)?;
    bench.extract("extract, blocking", Side::FloorBlocking, Side::OursBlocking, true)?;
    bench.extract("extract, schema as value", Side::FloorValue, Side::Ours, false)?;
    bench.in_flight("64 in flight", Side::Floor, Side::Ours)?;
    bench.in_flight("64 threads, blocking", Side::FloorBlocking, Side::OursBlocking)?;
    bench.reask("re-ask", Side::Floor, Side::Ours)?;
    bench.reask("re-ask, blocking", Side::FloorBlocking, Side::OursBlocking)?;
    bench.cold_start()?;
    bench.schema_work()?;
    let Table { rows, notes, .. } = &bench.table;
    if options.json {
        let report = Report { quick: options.quick, rounds, notes, rows };
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

const ONE: Load = Load { calls: 0, warm_up: 0, in_flight: 1, reask: false };

impl Bench {
    const fn calls(&self, calls: u64) -> u64 {
        if self.quick { calls / 5 } else { calls }
    }

    /// One call at a time.
    fn extract(&mut self, scenario: &'static str, floor: Side, ours: Side, limits: bool) -> Result<()> {
        let limit = |limit| if limits { limit } else { Limit::None };
        self.counted(scenario, floor, ours, ONE, limit(Limit::Ratio(1.25)), limit(Limit::Ratio(1.5)))?;
        if limits {
            let load = Load { calls: self.calls(4000), warm_up: 50, ..ONE };
            self.timed(scenario, floor, ours, load, Limit::None)?;
        }
        Ok(())
    }

    /// 64 calls at a time.
    fn in_flight(&mut self, scenario: &'static str, floor: Side, ours: Side) -> Result<()> {
        let load = Load { in_flight: 64, warm_up: 640, calls: self.calls(10_000), ..ONE };
        let took = self.timed(scenario, floor, ours, load, Limit::Ratio(1.3))?;
        let peak = |took: &Took| took.peak_kib.map(|kib| kib as f64 / 1024.0);
        let peaks = took.iter().filter_map(|(floor, ours)| Some((peak(floor)?, peak(ours)?))).collect();
        self.table.pairs(scenario, "peak memory, MiB", peaks, Limit::More(4.0));
        Ok(())
    }

    /// Two calls, the second with what was wrong with the answer to the first.
    fn reask(&mut self, scenario: &'static str, floor: Side, ours: Side) -> Result<()> {
        let load = Load { reask: true, ..ONE };
        let made = |side| -> Result<f64> {
            let before = self.server.calls()?;
            self.program(side, Load { calls: 100, ..load })?.took()?;
            Ok((self.server.calls()? - before) as f64 / 100.0)
        };
        let pair = (made(floor)?, made(ours)?);
        self.table.pairs(scenario, "requests", vec![pair], Limit::Ratio(1.0));
        self.counted(scenario, floor, ours, load, Limit::None, Limit::None)?;
        self.timed(scenario, floor, ours, Load { calls: self.calls(2000), warm_up: 50, ..load }, Limit::None)?;
        Ok(())
    }

    /// From the start of a process to one value to its end.
    fn cold_start(&mut self) -> Result<()> {
        measure::build_siblings("bench")?;
        let (Some(floor), Some(ours)) = (measure::sibling("floor")?, measure::sibling("ours")?) else {
            self.table.note("the programs `floor` and `ours` are not there: no cold start; start this by cargo");
            return Ok(());
        };
        let url = self.server.base_url(false);
        let lean = Program::new(floor.clone(), [&*url, "--lean"]);
        let (floor, ours) = (Program::new(floor, [&*url]), Program::new(ours, [&*url]));
        let against =
            [("cold start", &floor, Limit::Ratio(1.0)), ("cold start, no root certificates", &lean, Limit::None)];
        for (scenario, floor, limit) in against {
            if self.valgrind {
                let pair = (floor.instructions()? / 1e3, ours.instructions()? / 1e3);
                self.table.pairs(scenario, "instructions, thousands", vec![pair], limit);
            }
            let (mut cpu, mut wall) = (Vec::new(), Vec::new());
            for _ in 0..3 * self.rounds {
                let ((floor_cpu, floor_wall), (ours_cpu, ours_wall)) = (floor.whole()?, ours.whole()?);
                let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
                cpu.extend(floor_cpu.zip(ours_cpu).map(|(floor, ours)| (ms(floor), ms(ours))));
                wall.push((ms(floor_wall), ms(ours_wall)));
            }
            self.table.pairs(scenario, "CPU, ms", cpu, limit);
            self.table.pairs(scenario, "wall clock, ms", wall, limit);
        }
        Ok(())
    }

    /// What is done before a request is sent: the first time, when the schema is made, and after. The figure of the
    /// first stands in the floor's place, so that a ratio near nothing says that it is not made again.
    fn schema_work(&mut self) -> Result<()> {
        if !self.valgrind {
            return Ok(());
        }
        let figures: [(&str, Figure); 2] =
            [("instructions", Program::instructions), ("allocations", Program::allocations)];
        for (measure, figure) in figures {
            let upto = |calls| figure(&self.program(Side::Preview, Load { calls, ..ONE })?);
            let (none, one, two, many) = (upto(0)?, upto(1)?, upto(2)?, upto(102)?);
            for (which, cost) in [("2nd", two - one), ("3rd to 102nd", (many - two) / 100.0)] {
                self.table.pairs(
                    "request made: 1st, and",
                    format!("{which}: {measure}"),
                    vec![(one - none, cost)],
                    Limit::None,
                );
            }
        }
        Ok(())
    }

    fn program(&self, side: Side, load: Load) -> Result<Program> {
        Program::workload(side, load, &self.server.base_url(load.reask))
    }

    /// Instructions and allocations per call, as the difference of two runs: what is done once falls out.
    fn counted(
        &mut self,
        scenario: &'static str,
        floor: Side,
        ours: Side,
        load: Load,
        instructions: Limit,
        allocations: Limit,
    ) -> Result<()> {
        if !self.valgrind {
            return Ok(());
        }
        let (few, many) = (50, if self.quick { 150 } else { 450 });
        let figures: [(&str, Figure, Limit); 2] =
            [("instructions", Program::instructions, instructions), ("allocations", Program::allocations, allocations)];
        for (measure, figure, limit) in figures {
            let each = |side| -> Result<f64> {
                let upto = |calls| figure(&self.program(side, Load { calls, ..load })?);
                Ok((upto(many)? - upto(few)?) / (many - few) as f64)
            };
            let pair = (each(floor)?, each(ours)?);
            self.table.pairs(scenario, measure, vec![pair], limit);
        }
        Ok(())
    }

    /// CPU and latency, in rounds of both sides.
    fn timed(
        &mut self,
        scenario: &'static str,
        floor: Side,
        ours: Side,
        load: Load,
        cpu: Limit,
    ) -> Result<Vec<(Took, Took)>> {
        let (floor, ours) = (self.program(floor, load)?, self.program(ours, load)?);
        let mut took = Vec::new();
        for round in 0..self.rounds {
            // Who goes second finds a warmer machine.
            took.push(if round % 2 == 0 {
                let floor = floor.took()?;
                (floor, ours.took()?)
            } else {
                let ours = ours.took()?;
                (floor.took()?, ours)
            });
        }
        let pairs = |figure: fn(&Took) -> Option<f64>| {
            took.iter().filter_map(|(floor, ours)| Some((figure(floor)?, figure(ours)?))).collect()
        };
        self.table.pairs(scenario, "CPU, us", pairs(|took| took.cpu_us_per_call), cpu);
        self.table.pairs(scenario, "p50, us", pairs(|took| Some(took.p50_us)), Limit::None);
        Ok(took)
    }
}
