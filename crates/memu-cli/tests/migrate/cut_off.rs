//! Moves that are killed, and moves to a server that stops: they go on, and arrive whole.

use std::hash::{BuildHasher, RandomState};
use std::process::Stdio;
use std::time::Instant;

use memu_testkit::postgres::{Database, Server, Stop, database};
use serde_json::Value;

use crate::support::{Home, long_conversation};
use crate::{everything, home};

/// How often a move is killed when MEMU_CRASH_ROUNDS says nothing else.
const FEW: u32 = 4;

#[test]
#[cfg(unix)]
fn killed_at_random_moments_a_move_goes_on_and_arrives_whole() {
    let target = || Some(("new.db".to_owned(), None));
    killed_moves_arrive(target, |home| remove(home, "new.db"));
}

#[test]
#[cfg(unix)]
fn killed_on_its_way_to_a_server_a_move_goes_on_and_arrives_whole() {
    let name = "killed_on_its_way_to_a_server_a_move_goes_on_and_arrives_whole";
    let target = || {
        let server = database(name)?;
        Some((server.dsn().to_owned(), Some(server)))
    };
    killed_moves_arrive(target, |_| {});
}

#[test]
fn a_move_survives_a_server_that_stops_in_the_middle() {
    let name = "a_move_survives_a_server_that_stops_in_the_middle";
    let rounds = std::env::var("MEMU_CRASH_ROUNDS").map_or(FEW, |text| text.parse().unwrap());
    let Some(mut server) = Server::start(name) else {
        return;
    };
    let home = home();
    home.write("long.json", long_conversation(600));
    home.ok(&["--db", "old.db", "memorize", "long.json", "--user", "dave"]);
    let expected = home.sums("old.db");
    let undisturbed = {
        let database = server.database();
        let started = Instant::now();
        home.ok(&["migrate", "--from", "old.db", "--to", database.dsn()]);
        started.elapsed()
    };
    let mut cut_off = 0;
    for round in 0..rounds {
        let database = server.database();
        let migrate = [
            "--json",
            "migrate",
            "--from",
            "old.db",
            "--to",
            database.dsn(),
        ];
        let child = home
            .command(&migrate)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let random = RandomState::new().hash_one(round) as f64 / u64::MAX as f64;
        std::thread::sleep(undisturbed.mul_f64(random));
        if round % 2 == 0 {
            server.stop(Stop::Fast);
        } else {
            server.kill();
        }
        server.start_again();
        // It went on by itself, or says that it can be started again.
        let ended = child.wait_with_output().unwrap();
        if !ended.status.success() {
            cut_off += 1;
            let said = String::from_utf8(ended.stderr).unwrap();
            let (_, error) = said.split_once('{').expect(&said);
            let error: Value = serde_json::from_str(&format!("{{{error}")).expect(&said);
            assert_eq!(error["error"]["retryable"], true, "{said}");
        }
        home.ok(&migrate);
        assert_eq!(home.sums(database.dsn()), expected, "round {round}");
        home.ok(&["--db", database.dsn(), "doctor"]);
        assert_eq!(
            everything(&home, database.dsn()),
            everything(&home, "old.db")
        );
    }
    assert!(cut_off > 0, "the server never stopped in time");
}

/// Kills moves at random moments and starts them again, until they arrive in a target that
/// `fresh` gives; `clear` removes it.
#[cfg(unix)]
fn killed_moves_arrive(
    fresh: impl Fn() -> Option<(String, Option<Database>)>,
    clear: impl Fn(&Home),
) {
    let rounds = std::env::var("MEMU_CRASH_ROUNDS").map_or(FEW, |text| text.parse().unwrap());
    let Some((mut to, mut held)) = fresh() else {
        return;
    };
    let home = home();
    home.write("long.json", long_conversation(600));
    for user in ["alice", "carol", "dave"] {
        home.ok(&["--db", "old.db", "memorize", "long.json", "--user", user]);
    }
    let expected = home.sums("old.db");
    let started = Instant::now();
    home.ok(&["migrate", "--from", "old.db", "--to", &to]);
    let undisturbed = started.elapsed();
    assert_eq!(home.sums(&to), expected);
    let mut cut_off = 0;
    let mut arrived = true;
    for round in 0..rounds {
        if arrived {
            clear(&home);
            (to, held) = fresh().unwrap();
        }
        let migrate = ["migrate", "--from", "old.db", "--to", &to];
        let mut child = home
            .command(&migrate)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let random = RandomState::new().hash_one(round) as f64 / u64::MAX as f64;
        std::thread::sleep(undisturbed.mul_f64(random));
        child.kill().unwrap();
        let done = child.wait().unwrap().success();
        cut_off += u32::from(!done);
        // Every other move is cut off several times.
        arrived = done || round % 2 == 1;
        if arrived {
            home.ok(&migrate);
            assert_eq!(home.sums(&to), expected, "round {round}");
            home.ok(&["--db", &to, "doctor"]);
            assert_eq!(everything(&home, &to), everything(&home, "old.db"));
        }
    }
    drop(held);
    assert!(cut_off > 0, "no move was killed in time");
}

fn remove(home: &Home, database: &str) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(home.path(&format!("{database}{ending}")));
    }
    let _ = std::fs::remove_dir_all(home.path("data/resources").join(database));
}
