//! How Plex knows a client again.

use reqwest::header::{HeaderMap, HeaderValue};

use crate::SetupError;

/// Who is calling. Plex lists each `identifier` as a device of the account, so it must stay the
/// same from run to run: make one once with [`client_identifier`](crate::client_identifier) and
/// keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Unique for this installation, usually a UUID.
    pub identifier: String,
    /// The program's name.
    pub product: String,
    /// The program's version.
    pub version: String,
}

impl Device {
    /// A device, which a user sees in the list of devices by its program's name.
    #[must_use]
    pub fn new(identifier: &str, product: &str, version: &str) -> Self {
        Self {
            identifier: identifier.to_owned(),
            product: product.to_owned(),
            version: version.to_owned(),
        }
    }

    pub(crate) fn headers(&self) -> Result<HeaderMap, SetupError> {
        let mut headers = HeaderMap::new();
        let identifier = self.identifier.as_str();
        for (header, what, value) in [
            ("x-plex-client-identifier", "identifier", identifier),
            ("x-plex-product", "product", &self.product),
            ("x-plex-version", "version", &self.version),
            ("x-plex-device-name", "product", &self.product),
            ("x-plex-platform", "platform", std::env::consts::OS),
            ("x-plex-device", "device", std::env::consts::OS),
        ] {
            let value =
                HeaderValue::from_bytes(value.as_bytes()).map_err(|_| SetupError::Device(what))?;
            headers.insert(header, value);
        }
        Ok(headers)
    }
}
