//! The power goes at any operation of the disk: every write that was acknowledged is
//! there afterwards, and no part of another one.

use crate::disk::Fault;
use crate::machine::{Machine, Work, rounds, run, sound_alone};
use crate::workload::Random;

/// How many disks are looked at for each power cut: what is pending may survive or not.
const DISKS: u64 = 4;

/// How many changes a round makes.
const CHANGES: u64 = 20;

/// How many operations these are, about.
const OPERATIONS: u64 = 700;

/// Works until the power goes.
async fn work_until(cut: u64, seed: u64) -> (Machine, Work) {
    let machine = Machine::new();
    machine.disk.set(Fault::PowerCut(cut));
    let mut work = Work::default();
    if let Ok(service) = machine.open().await {
        work.go_on(&service, &mut Random::new(seed), CHANGES).await;
        // What was written by then is there, whether the store was closed or not.
        let _ = service.close().await;
    }
    (machine, work)
}

async fn find_everything(machine: &Machine, work: &Work, seed: u64) -> Result<(), String> {
    let next = machine.after_power_cut(seed);
    let service = next.open().await.map_err(|error| format!("{error:?}"))?;
    work.check(&service).await?;
    service.close().await.map_err(|error| format!("{error:?}"))?;
    sound_alone(&next.file())
}

#[test]
fn a_power_cut_at_any_operation_loses_no_acknowledged_write() {
    let (rounds, first) = rounds();
    run(async {
        for seed in first..first + rounds {
            let cut = 1 + Random::new(seed).below(OPERATIONS);
            let (machine, work) = work_until(cut, seed).await;
            for disk in 0..DISKS {
                if let Err(wrong) = find_everything(&machine, &work, seed * DISKS + disk).await {
                    panic!(
                        "seed {seed}, disk {disk}, power cut at operation {cut} of {}, after {} \
                         changes: {wrong}\n{:#?}",
                        machine.disk.operations(),
                        work.acknowledged.len(),
                        machine.disk.log(),
                    );
                }
            }
        }
    });
}
