//! A call beside those of the engine, with the client's key and times.

use bytes::Bytes;

use super::Transport;
use super::drive::{arrived, credential};
use crate::client::Core;
use crate::error::{Error, TransportError};
use crate::run::{Answer, Authorise, unanswered};

/// Authorises a request, sends it, and takes the whole answer.
pub(crate) async fn once(
    transport: &dyn Transport,
    core: &Core,
    mut request: http::Request<Bytes>,
) -> Result<Answer, Error> {
    let timeout = core.options.timeout;
    let limit = core.max_response_bytes;
    if let Some(keyring) = &core.endpoint.keyring {
        let held = credential(transport, &Authorise::new(keyring, timeout), limit).await?;
        let endpoint = &core.endpoint;
        endpoint.profile.authorise(&mut request, &held, endpoint.signer.as_ref(), transport.now().unix)?;
    }
    let failed = |error: TransportError| {
        let (kind, detail) = unanswered(&error);
        Error::new(kind, detail).with_source(Some(error.into()))
    };
    arrived(transport.send(request, timeout).await, limit).await.map_err(failed)
}
