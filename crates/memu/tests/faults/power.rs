//! The power goes at any operation of the disk: every write that was acknowledged is
//! there afterwards, and no part of another one.

use memu::MemoryService;

use crate::disk::Fault;
use crate::machine::{Machine, Work, rounds, run, sound_alone, told};
use crate::workload::Random;

/// How many disks are looked at for each power cut: what is pending may survive or not.
const DISKS: u64 = 4;

/// How many changes a round makes.
const CHANGES: u64 = 20;

/// How many operations these are, about.
const OPERATIONS: u64 = 700;

/// Looks at what a machine finds that is switched on again.
async fn look(machine: &Machine, work: &Work, seed: u64) -> Result<(), String> {
    let next = machine.after_power_cut(seed);
    let service = next.open().await.map_err(told)?;
    work.clone().check(&service).await?;
    service.close().await.map_err(told)?;
    sound_alone(&next.file())
}

async fn look_at_disks(machine: &Machine, work: &Work, seed: u64) {
    for disk in 0..DISKS {
        if let Err(wrong) = look(machine, work, seed * DISKS + disk).await {
            panic!(
                "seed {seed}, disk {disk}, power cut at operation {}, after {} changes: {wrong}\n\
                 {:#?}",
                machine.disk.operations(),
                work.acknowledged.len(),
                machine.disk.log(),
            );
        }
    }
}

#[test]
fn a_power_cut_at_any_operation_loses_no_acknowledged_write() {
    let (rounds, first) = rounds();
    run(async {
        for seed in first..first + rounds {
            let mut random = Random::new(seed);
            let machine = Machine::new();
            machine
                .disk
                .set(Fault::PowerCut(1 + random.below(OPERATIONS)));
            let mut work = Work::default();
            if let Ok(service) = machine.open().await {
                work.go_on(&service, &mut random, CHANGES).await;
                // Whether it was closed before the power went or not.
                let _ = service.close().await;
            }
            look_at_disks(&machine, &work, seed).await;
        }
    });
}

/// A process is killed in the middle of its work; another one, which has the file open or
/// opens it now, writes on until the power goes.
async fn killed_then_power_cut(seed: u64, both_at_once: bool) {
    let mut random = Random::new(seed);
    let machine = Machine::new();
    let mut work = Work::default();
    let killed = machine.open().await.unwrap();
    // So many that it has opened all its connections.
    work.go_on(&killed, &mut random, 4).await;
    let process = machine.disk.next_process();
    let other = if both_at_once {
        Some(machine.open().await.unwrap())
    } else {
        None
    };
    let at = machine.disk.operations() + 1 + random.below(OPERATIONS / 2);
    machine
        .disk
        .set(Fault::Kill(process + u64::from(!both_at_once), at));
    work.go_on(&killed, &mut random, CHANGES).await;
    let _ = killed.close().await;
    drop(killed);

    let cut = machine.disk.operations() + 1 + random.below(120);
    machine.disk.set(Fault::PowerCut(cut));
    if let Ok(other) = or_open(other, &machine).await {
        let mut seen = work.clone();
        let checked = seen.check(&other).await;
        // Whoever looks when the power is gone is gone as well: nobody has seen anything.
        if !machine.disk.is_off() {
            if let Err(wrong) = checked {
                panic!(
                    "seed {seed}, after the kill: {wrong}\n{:#?}",
                    machine.disk.log()
                );
            }
            // What was in flight when the first was killed is there or not, for good.
            work = seen;
            work.go_on(&other, &mut random, CHANGES).await;
        }
        let _ = other.close().await;
    }
    look_at_disks(&machine, &work, seed).await;
}

async fn or_open(other: Option<MemoryService>, machine: &Machine) -> memu::Result<MemoryService> {
    match other {
        Some(other) => Ok(other),
        None => machine.open().await,
    }
}

#[test]
fn a_kill_and_then_a_power_cut_under_the_next_process_lose_nothing() {
    let (rounds, first) = rounds();
    run(async {
        for seed in first..first + rounds {
            killed_then_power_cut(seed, false).await;
        }
    });
}

#[test]
fn a_kill_and_then_a_power_cut_under_a_process_that_goes_on_lose_nothing() {
    let (rounds, first) = rounds();
    run(async {
        for seed in first..first + rounds {
            killed_then_power_cut(seed, true).await;
        }
    });
}
