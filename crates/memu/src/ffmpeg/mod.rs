//! Videos, taken apart by the program ffmpeg.

mod run;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use memu_core::provider::Media;
use memu_core::{Error, Result};
use memu_models::{Footage, VideoCutter};

use run::{Run, run};

/// Longer sides than this are made shorter, in pixels: models see no more.
const LONGEST_SIDE: u32 = 1024;
/// The most that providers transcribe, in bytes; about a hundred minutes.
const LARGEST_SOUND: usize = 25 << 20;
/// The containers that are opened. A play list is none of them: it would have ffmpeg open what
/// it names, on this machine or elsewhere.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,asf,ogg,gif";

/// The program ffmpeg. It gets a copy of the video in a folder of its own, and is ended when it
/// takes too long or nobody waits for it any more.
#[derive(Clone, Debug)]
pub(crate) struct Ffmpeg {
    /// Where it is, if it was named.
    path: Option<PathBuf>,
}

impl Ffmpeg {
    /// The program at `path`; without one, the one on the path.
    pub(crate) fn new(path: Option<&str>) -> Self {
        Self {
            path: path.map(PathBuf::from),
        }
    }

    fn program(&self) -> Result<PathBuf> {
        let on_path = || {
            let folders = std::env::var_os("PATH")?;
            let name = format!("ffmpeg{}", std::env::consts::EXE_SUFFIX);
            let mut places = std::env::split_paths(&folders).map(|folder| folder.join(&name));
            places.find(|place| place.is_file())
        };
        let found = match &self.path {
            Some(named) => Some(named.clone()).filter(|named| named.is_file()),
            None => on_path(),
        };
        found.ok_or_else(|| {
            let place = match &self.path {
                Some(named) => format!("not at {}", named.display()),
                None => "not on the path".to_owned(),
            };
            Error::unsupported(format!(
                "videos are taken apart by the program ffmpeg, which is {place}; install it, or \
                 name it in memorize_config.ffmpeg_path (MEMU_FFMPEG); or hand in what is to be \
                 seen and heard as a caption"
            ))
        })
    }
}

#[async_trait]
impl VideoCutter for Ffmpeg {
    fn check(&self) -> Result<()> {
        self.program().map(drop)
    }

    async fn cut(&self, video: Arc<[u8]>, frames: usize, sound: bool) -> Result<Footage> {
        let program = self.program()?;
        let folder = tempfile::tempdir().map_err(|cause| unwritable(&cause))?;
        let table = Table {
            video: folder.path().join("video"),
            folder: folder.path().to_owned(),
            run: Run::new(program),
        };
        let written = tokio::fs::write(&table.video, &video).await;
        written.map_err(|cause| unwritable(&cause))?;
        let streams = table.streams().await?;
        Ok(Footage {
            frames: table.frames(frames).await?,
            sound: if sound && streams.sound {
                Some(table.sound().await?)
            } else {
                None
            },
        })
    }
}

fn unwritable(cause: &std::io::Error) -> Error {
    Error::storage(format!(
        "a video cannot be written into the folder for temporary files: {cause}"
    ))
}

/// Which streams a video has.
#[derive(Debug)]
struct Streams {
    sound: bool,
}

/// A video on the cutting table.
struct Table {
    video: PathBuf,
    folder: PathBuf,
    run: Run,
}

impl Table {
    /// What comes before the input in every command.
    fn input(&self, before: &[&str]) -> Vec<String> {
        let safe = ["-nostdin", "-hide_banner", "-protocol_whitelist", "file"];
        let mut arguments: Vec<String> = safe.iter().map(ToString::to_string).collect();
        arguments.extend(["-format_whitelist".to_owned(), CONTAINERS.to_owned()]);
        arguments.extend(before.iter().map(ToString::to_string));
        arguments.extend(["-i".to_owned(), format!("file:{}", self.video.display())]);
        arguments
    }

    async fn streams(&self) -> Result<Streams> {
        // Without an output it tells what there is, and fails.
        let told = run(&self.run, self.input(&[])).await?.told;
        let is_stream = |kind: &str| {
            let mut lines = told.lines().map(str::trim_start);
            lines.any(|line| line.starts_with("Stream #0:") && line.contains(kind))
        };
        let sound = is_stream(": Audio:");
        if is_stream(": Video:") {
            return Ok(Streams { sound });
        }
        Err(if sound {
            Error::input("it has sound, but no pictures; memorize it as audio")
        } else {
            Error::input("ffmpeg finds no video in it").with("ffmpeg", last_line(&told))
        })
    }

    /// How long it is, in seconds: as long as its pictures go on, whatever it says itself.
    async fn seconds(&self) -> Result<f64> {
        let mut arguments = self.input(&["-loglevel", "error"]);
        let pictures = "-map 0:v:0 -c copy -nostats -progress pipe:1 -f null -";
        arguments.extend(pictures.split(' ').map(str::to_owned));
        let progress = run(&self.run, arguments).await?.output;
        let times = progress.lines().filter_map(|line| {
            let micros = line.strip_prefix("out_time_us=")?;
            micros.trim().parse::<f64>().ok()
        });
        Ok(times.fold(0.0, f64::max) / 1e6)
    }

    /// Frames from the middles of equal parts; of a still picture, one.
    async fn frames(&self, count: usize) -> Result<Vec<Media>> {
        let seconds = self.seconds().await?;
        let mut frames: Vec<Media> = Vec::new();
        let mut told = String::new();
        for part in 0..count {
            let at = |share: f64| seconds * (part as f64 + share) / count as f64;
            let (mut frame, mut failure) = self.frame(at(0.5)).await?;
            if frame.is_none() {
                // The last frame of all may begin before the middle of its part.
                (frame, failure) = self.frame(at(0.0)).await?;
            }
            told = failure;
            // Where nothing moves there is no need to show it twice.
            frames.extend(frame.filter(|frame| frames.last() != Some(frame)));
        }
        if frames.is_empty() {
            return Err(
                Error::input("ffmpeg cannot read a picture of it").with("ffmpeg", last_line(&told))
            );
        }
        Ok(frames)
    }

    async fn frame(&self, at: f64) -> Result<(Option<Media>, String)> {
        let mut arguments = self.input(&["-loglevel", "error", "-ss", &format!("{at:.3}")]);
        let side = LONGEST_SIDE;
        let scale = format!(
            "scale=w='min({side},iw)':h='min({side},ih)':force_original_aspect_ratio=decrease"
        );
        arguments.extend(["-map", "0:v:0", "-frames:v", "1", "-vf", &scale].map(str::to_owned));
        // The same frame is to be the same bytes every time.
        let encoding = "-c:v mjpeg -pix_fmt yuvj420p -q:v 4 -threads 1 -bitexact -f image2 -y";
        arguments.extend(encoding.split(' ').map(str::to_owned));
        let (bytes, told) = self.make("frame.jpg", arguments).await?;
        let frame = bytes.map(|bytes| Media {
            bytes: bytes.into(),
            media_type: "image/jpeg".to_owned(),
        });
        Ok((frame, told))
    }

    /// What is to be heard, as speech needs it.
    async fn sound(&self) -> Result<Media> {
        let mut arguments = self.input(&["-loglevel", "error"]);
        let encoding = "-map 0:a:0 -vn -ac 1 -ar 16000 -c:a aac -b:a 32k -threads 1 \
                        -map_metadata -1 -bitexact -f mp4 -y";
        arguments.extend(encoding.split_whitespace().map(str::to_owned));
        let (bytes, told) = self.make("sound.m4a", arguments).await?;
        let Some(bytes) = bytes else {
            return Err(
                Error::input("ffmpeg cannot read its sound").with("ffmpeg", last_line(&told))
            );
        };
        if bytes.len() > LARGEST_SOUND {
            return Err(Error::input(
                "it is too long: no provider writes down more than about a hundred minutes; part \
                 it, or hand in what is to be seen and heard as a caption",
            ));
        }
        Ok(Media {
            bytes: bytes.into(),
            media_type: "audio/mp4".to_owned(),
        })
    }

    /// Has a file made, and reads it; with what ffmpeg told.
    async fn make(
        &self,
        name: &str,
        mut arguments: Vec<String>,
    ) -> Result<(Option<Vec<u8>>, String)> {
        let path = self.folder.join(name);
        remove(&path).await;
        arguments.push(format!("file:{}", path.display()));
        let told = run(&self.run, arguments).await?.told;
        let made = tokio::fs::read(&path).await.ok();
        Ok((made.filter(|bytes| !bytes.is_empty()), told))
    }
}

/// So that nothing is taken for what was made before.
async fn remove(path: &Path) {
    let _ = tokio::fs::remove_file(path).await;
}

fn last_line(told: &str) -> String {
    let mut lines = told.lines().rev().map(str::trim);
    lines
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}
