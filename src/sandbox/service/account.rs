//! The account and its extensions.

use super::ask::Ask;
use super::error::ApiError;
use super::query::{Parameters, cut};
use super::{Answer, Answered, Service};
use crate::sandbox::render::Renderer;
use crate::sandbox::wire::{
    AccountInfo, ContactInfo, CurrencyInfo, ExtensionInfo, Page, RegionalSettings, TimeZoneInfo,
};
use crate::sandbox::world::cast::{ACCOUNT_ID, Extension, Seat};
use crate::sandbox::world::number;

/// The user whom the credentials stand for: `~` in an address.
const OWNER: Seat = 0;

impl Service {
    pub(crate) fn renderer(&self) -> Renderer<'_> {
        Renderer { cast: &self.world.cast, origin: &self.origin, unknowns: &self.options.unknowns }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    pub(crate) fn check_account(&self, account: &str) -> Result<(), ApiError> {
        if account == "~" || account == ACCOUNT_ID.to_string() {
            return Ok(());
        }
        Err(ApiError::not_found("accountId"))
    }

    pub(crate) fn seat(&self, extension: &str) -> Result<Seat, ApiError> {
        if extension == "~" {
            return Ok(OWNER);
        }
        let id = extension.parse().ok().and_then(|id| self.world.cast.by_id(id));
        id.ok_or_else(|| ApiError::not_found("extensionId"))
    }

    pub(crate) fn account(&self) -> Answered {
        let origin = &self.origin;
        Answer::json(&AccountInfo {
            uri: self.renderer().account_uri(),
            id: ACCOUNT_ID,
            main_number: number::e164(self.world.cast.main_number),
            setup_wizard_state: "Completed",
            status: "Confirmed",
            federated: false,
            regional_settings: RegionalSettings {
                timezone: TimeZoneInfo {
                    uri: format!("{origin}/restapi/v1.0/dictionary/timezone/61"),
                    id: "61",
                    name: "America/New_York",
                    description: "Eastern Time (US & Canada)",
                    bias: "-300",
                },
                currency: CurrencyInfo {
                    id: 1,
                    code: "USD",
                    name: "US Dollar",
                    symbol: "$",
                    minor_symbol: "¢",
                },
            },
        })
    }

    pub(crate) fn extensions(&self, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let order = parameters.page_order(self.options.per_page_at_most)?;
        let renderer = self.renderer();
        let listed: Vec<Seat> = (0..self.world.cast.extensions.len())
            .filter(|seat| self.world.cast.extension(*seat).listed)
            .collect();
        let path = format!("{}/extension", renderer.account_uri());
        let records = cut(&listed, order).iter();
        let records = records
            .map(|seat| extension_info(renderer.extension_uri(*seat), self.world.cast.extension(*seat)));
        let (paging, navigation) = parameters.envelope(&path, None, order, listed.len(), true);
        Answer::json(&Page {
            uri: parameters.page_uri(&path, None, order),
            records: records.collect(),
            paging,
            navigation,
        })
    }
}

fn extension_info(uri: String, extension: &Extension) -> ExtensionInfo {
    let person =
        extension.name.split_once(' ').filter(|_| extension.kind == "User" && !extension.number.is_empty());
    ExtensionInfo {
        uri,
        id: extension.id,
        extension_number: (!extension.number.is_empty()).then(|| extension.number.clone()),
        name: extension.name,
        kind: extension.kind,
        status: extension.status,
        hidden: false,
        contact: person.map(|(first_name, last_name)| ContactInfo {
            first_name,
            last_name,
            email: format!("{}@example.com", first_name.to_lowercase()),
            business_phone: extension.direct.map(number::e164),
        }),
        creation_time: (!extension.number.is_empty()).then_some("2024-06-06T07:01:14.123Z"),
    }
}
