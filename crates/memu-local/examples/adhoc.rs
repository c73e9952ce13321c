#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::print_stdout,
    clippy::unwrap_used
)]
use memu_core::{provider::ReadRequest, records::Modality};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let bytes = std::fs::read(&a[1]).unwrap();
    let m: Modality = a[2].parse().unwrap();
    let n = bytes.len();
    let req = ReadRequest {
        bytes: bytes.into(),
        modality: m,
        url: a[1].clone(),
    };
    let t = std::time::Instant::now();
    let r = memu_local::reader::read(&req);
    let d = t.elapsed();
    match r {
        Err(e) => println!("{e:?}"),
        Ok(r) => {
            println!(
                "{:?} {} drafts {:?} {:.1} MB/s {:.2} us/msg",
                r.external_id,
                r.drafts.len(),
                d,
                n as f64 / 1e6 / d.as_secs_f64(),
                d.as_micros() as f64 / r.drafts.len() as f64
            );
            let mut last = None;
            let mut lens = vec![];
            for x in &r.drafts {
                if last != Some(x.topic) {
                    lens.push(0);
                    if a.len() > 3 {
                        println!("[{}:{}] {:?}", x.session, x.topic, x.caption);
                    }
                    last = Some(x.topic);
                }
                *lens.last_mut().unwrap() += 1;
                if a.len() > 4 {
                    println!(
                        "    {:?} {:?} {:?} {:?} {:.90?}",
                        x.message_id, x.role, x.speaker, x.happened_at_text, x.text
                    );
                }
            }
            println!(
                "{} topics, lens {:?}",
                lens.len(),
                &lens[..lens.len().min(60)]
            );
        }
    }
}
