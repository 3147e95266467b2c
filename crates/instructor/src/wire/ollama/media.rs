//! What media becomes: the base64 text alone, in a list beside the text of the message.

use crate::media::MediaKind::Image;
use crate::wire::media::Slot::Base64;
use crate::wire::media::{Place, Taken};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp"];

pub(super) const MEDIA: &[Taken] = &[Taken::new(Image, Place::Bytes, IMAGES, &[("image", Base64)])];
