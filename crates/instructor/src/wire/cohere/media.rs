//! The blocks that media become.

use crate::media::MediaKind::Image;
use crate::wire::media::Slot::{DataUrl, Is, Of, Url};
use crate::wire::media::{Place, Taken};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp", "image/gif"];

#[rustfmt::skip]
pub(super) const MEDIA: &[Taken] = &[
    Taken::new(Image, Place::Bytes, IMAGES, &[("type", Is("image_url")), ("image_url", Of(&[("url", DataUrl)]))]),
    Taken::new(Image, Place::Url, IMAGES, &[("type", Is("image_url")), ("image_url", Of(&[("url", Url)]))]),
];
