//! A body that is read while it is sent.

use std::fmt;
use std::io::{self, Read};

use bytes::Bytes;

/// The body of a request that is read piece by piece while it goes out, such as a file, so that it need not fit into
/// memory. Its length is known before.
pub struct Upload {
    length: u64,
    from: Box<dyn Read + Send + Sync>,
}

impl Upload {
    /// So many bytes of a reader. Reading must not wait for long: it is done where the request is sent.
    ///
    /// ```
    /// use instructor::Upload;
    ///
    /// let upload = Upload::new(5, &b"hello world"[..]);
    /// assert_eq!(upload.length(), 5);
    /// ```
    #[must_use]
    pub fn new(length: u64, from: impl Read + Send + Sync + 'static) -> Self {
        Self { length, from: Box::new(from.take(length)) }
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// All of it, in memory.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or ends too early.
    pub fn into_bytes(mut self) -> io::Result<Bytes> {
        let mut all = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        self.read_to_end(&mut all)?;
        if all.len() as u64 != self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(all.into())
    }
}

impl Read for Upload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.from.read(buffer)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({} bytes)", self.length)
    }
}
