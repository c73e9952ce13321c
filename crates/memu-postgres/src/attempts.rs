//! Operations in a transaction of their own, which are tried again when their connection breaks.

/// So many connections may break under an operation before it gives up: after the server was
/// started anew, every one that was idle does.
pub(crate) const LOST_CONNECTIONS: usize = 4;

/// Reads as of one moment; again on another connection when the first one breaks.
macro_rules! reading {
    ($store:expr, $reach:expr, |$on:ident| $read:expr) => {{
        let connections = &$store.shared.connections;
        let mut broken = 0;
        loop {
            let mut client = connections.get().await?;
            let read = async {
                let transaction = connections.snapshot(&mut client, $reach).await?;
                let $on = &transaction;
                let value = $read.await?;
                transaction.commit().await.map_err($crate::error::storage)?;
                Ok(value)
            };
            match read.await {
                Err(error)
                    if broken < $crate::attempts::LOST_CONNECTIONS
                        && $crate::error::is_lost(&error) =>
                {
                    broken += 1;
                }
                value => break value,
            }
        }
    }};
}

/// Writes in one transaction, which goes on when nobody waits for it any more; again on
/// another connection when the first one breaks before it is to be committed.
macro_rules! writing {
    ($store:expr, $reach:expr, |$shared:ident, $on:ident| $write:expr) => {{
        let shared = $store.shared.clone();
        let task = tokio::spawn(async move {
            let $shared = &*shared;
            let mut broken = 0;
            loop {
                let mut client = $shared.connections.get().await?;
                let write = async {
                    let reach = $reach;
                    let transaction = $shared.connections.transaction(&mut client, reach).await?;
                    let $on = &transaction;
                    let value = $write.await?;
                    let unanswered =
                        $crate::ending::commit(transaction, &$shared.connections, reach).await?;
                    Ok((value, unanswered))
                };
                match write.await {
                    Err(error)
                        if broken < $crate::attempts::LOST_CONNECTIONS
                            && $crate::error::is_lost(&error) =>
                    {
                        broken += 1;
                    }
                    Err(error) => break Err(error),
                    Ok((value, None)) => break Ok(value),
                    Ok((value, Some(unanswered))) => {
                        // Who asks needs a connection, and this one may be the pool's last.
                        drop(client);
                        let settled = unanswered.settle(&$shared.connections).await;
                        break settled.map(|()| value);
                    }
                }
            }
        });
        task.await
            .map_err(|cause| memu_core::Error::internal("a write ended early").caused_by(cause))?
    }};
}

pub(crate) use {reading, writing};
