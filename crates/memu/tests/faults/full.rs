//! A disk without room, and one that fails for a while: what is refused changes nothing,
//! and what was acknowledged is there, whatever comes next.

use std::time::Duration;

use memu::ErrorKind;

use crate::disk::Fault;
use crate::machine::{Machine, Work, rounds, run, sound_alone, told};
use crate::workload::{Change, Random, make};

/// How many changes a round makes before and after the failure.
const CHANGES: u64 = 8;

#[test]
fn a_full_disk_refuses_a_write_whole_and_takes_it_once_there_is_room() {
    run(async {
        let machine = Machine::new();
        let service = machine.open().await.unwrap();
        let mut work = Work::default();
        work.go_on(&service, &mut Random::new(1), CHANGES).await;
        machine.disk.set(Fault::Full);
        let many = (0..200).map(|at| format!("The room {at} is as large as the last one."));
        let many = Change::CreateMany(many.collect());
        let error = make(&service, "ann", &many).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert_eq!(error.message(), "the disk is full");
        work.check(&service).await.unwrap();
        machine.disk.set(Fault::None);
        make(&service, "ann", &many).await.unwrap();
        work.acknowledged.push(many);
        work.check(&service).await.unwrap();
        service.close().await.unwrap();
        sound_alone(&machine.file()).unwrap();
    });
}

#[test]
fn a_new_file_on_a_full_disk_is_refused_by_the_reason_and_can_be_made_later() {
    run(async {
        let machine = Machine::new();
        machine.disk.set(Fault::Full);
        let error = machine.open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        machine.disk.set(Fault::None);
        let service = machine.open().await.unwrap();
        Work::default().check(&service).await.unwrap();
    });
}

/// The store empties its log when it rests so long.
const LONGER_THAN_IDLE: Duration = Duration::from_millis(40);

/// The disk fails for some operations, some of them syncs, which lose what they were to
/// store. Then it works again until the power goes; the store writes nothing more after a
/// sync that failed.
async fn fail_for_a_while(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let machine = Machine::new();
    let service = machine.open().await.map_err(told)?;
    let mut work = Work::default();
    work.go_on(&service, &mut random, CHANGES).await;
    let at = machine.disk.operations() + 1 + random.below(150);
    machine.disk.set(Fault::Error(at, 1 + random.below(6)));
    work.go_on(&service, &mut random, CHANGES).await;
    if work.in_flight.is_some() {
        machine.disk.set(Fault::None);
        // What was refused is not there, for as long as nobody opens the file anew.
        let refused = work.in_flight.take();
        let checked = work.check(&service).await;
        checked.map_err(|wrong| format!("{refused:?} was refused, but {wrong}"))?;
    }
    work.go_on(&service, &mut random, CHANGES).await;
    let cut = machine.disk.operations() + 1 + random.below(60);
    machine.disk.set(Fault::PowerCut(cut));
    work.go_on(&service, &mut random, CHANGES).await;
    let _ = service.close().await;
    let next = machine.after_power_cut(seed);
    let service = next.open().await.map_err(told)?;
    let checked = work.check(&service).await;
    checked.map_err(|wrong| format!("{wrong}\n{:#?}", machine.disk.log()))?;
    service.close().await.map_err(told)?;
    sound_alone(&next.file())
}

#[test]
fn a_disk_that_fails_for_a_while_loses_no_acknowledged_write() {
    let (rounds, first) = rounds();
    run(async {
        for seed in first..first + rounds {
            if let Err(wrong) = fail_for_a_while(seed).await {
                panic!("seed {seed}: {wrong}");
            }
        }
    });
}

/// Changes that follow each other closely, then a moment of rest, in all of which one sync fails
/// and loses part of what was not on the disk yet. Whatever comes of it, also when the store is
/// dropped and not closed, what was acknowledged is there after the power went. Returns whether
/// there were so many syncs.
async fn fail_to_sync(at: u64, close: bool) -> Result<bool, String> {
    let machine = Machine::new();
    let service = machine.open().await.map_err(told)?;
    let mut work = Work::default();
    let before = machine.disk.syncs();
    machine.disk.set(Fault::FailedSync(before + at));
    for _ in 0..2 {
        work.create_at_once(&service, 3).await;
        tokio::time::sleep(LONGER_THAN_IDLE).await;
    }
    if close {
        service.close().await.map_err(told)?;
    } else {
        drop(service);
        // Nothing tells when the threads have closed the file.
        tokio::time::sleep(LONGER_THAN_IDLE).await;
    }
    let has_failed = machine.disk.syncs() >= before + at;
    for seed in 0..8 {
        let next = machine.after_power_cut(seed);
        let service = next.open().await.map_err(told)?;
        let checked = work.clone().check(&service).await;
        checked.map_err(|wrong| format!("{wrong}\n{:#?}", machine.disk.log()))?;
        service.close().await.map_err(told)?;
        sound_alone(&next.file())?;
    }
    Ok(has_failed)
}

#[test]
fn whichever_sync_fails_no_acknowledged_write_is_lost() {
    run(async {
        for close in [true, false] {
            for at in 1.. {
                match fail_to_sync(at, close).await {
                    Ok(true) => {}
                    Ok(false) => {
                        assert!(at > 10, "only {at} syncs");
                        break;
                    }
                    Err(wrong) => panic!("sync {at}, closed: {close}: {wrong}"),
                }
            }
        }
    });
}
