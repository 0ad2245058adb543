//! Everything that can be served, at every version: the same bytes for the same seed, and no field or value that the
//! published description does not know.

use super::render::{Face, Renderer, View};
use super::service::Unknowns;
use super::world::{Plot, World};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

// Names and values of the published API description, separated by bars.
const RECORD_FIELDS: &str = "\
    extension|telephonySessionId|sipUuidInfo|transferTarget|transferee|partyId|metadataCategories|transport|\
    from|to|type|direction|message|delegate|delegationType|action|result|reason|reasonDescription|startTime|\
    duration|durationMs|recording|shortRecording|billing|internalType|finished|id|uri|sessionId|deleted|\
    legs|lastModifiedTime";
const LEG_FIELDS: &str = "\
    extension|telephonySessionId|sipUuidInfo|transferTarget|transferee|partyId|metadataCategories|transport|\
    from|to|type|direction|message|delegate|delegationType|action|result|reason|reasonDescription|startTime|\
    duration|durationMs|recording|shortRecording|billing|internalType|finished|legType|master";
const PARTY_FIELDS: &str = "\
    device|dialedPhoneNumber|dialerPhoneNumber|extensionId|extensionNumber|location|name|phoneNumber";
const MESSAGE_FIELDS: &str = "\
    id|uri|extensionId|attachments|availability|conversationId|conversation|creationTime|deliveryErrorCode|\
    segmentCount|direction|faxPageCount|faxResolution|from|lastModifiedTime|messageStatus|pgToDepartment|\
    priority|readStatus|smsDeliveryTime|smsSendingAttemptsCount|subject|to|type|vmTranscriptionStatus|\
    coverIndex|coverPageText|owner|private|forwarding";
const MESSAGE_PARTY_FIELDS: &str = "\
    extensionId|extensionNumber|faxErrorCode|location|messageStatus|name|phoneNumber|recipientId|target";
const ACTIONS: &str = "\
    Accept Call|Barge In Call|Call Park|Call Return|CallOut-CallMe|Calling Card|Conference Call|E911 Update|\
    Emergency|External Application|FindMe|FollowMe|FreeSPDL|Hunting|Incoming Fax|Monitoring|Move|\
    Outgoing Fax|Paging|Park Location|Phone Call|Phone Login|Pickup|RC Meetings|Ring Directly|RingMe|\
    RingOut Mobile|RingOut PC|RingOut Web|Sip Forwarding|Support|Text Relay|Transfer|Unknown|VoIP Call|\
    VoiceChat Call";
const RESULTS: &str = "\
    911|933|Abandoned|Accepted|Answered Not Accepted|Blocked|Busy|Call Failed|Call Failure|Call connected|\
    Carrier is not active|Declined|EDGE trunk misconfigured|Fax Not Sent|Fax Partially Sent|Fax Poor Line|\
    Fax Receipt Error|Fax on Demand|Hang Up|IP Phone Offline|In Progress|Internal Error|\
    International Disabled|International Restricted|Missed|No Answer|No Calling Credit|Not Allowed|\
    Partial Receive|Phone Login|Receive Error|Received|Rejected|Reply|Restricted Number|Send Error|Sent|\
    Sent to Voicemail|Stopped|Suspended account|Unknown|Voicemail|Wrong Number|Answered Elsewhere|\
    Callback requested";
const REASONS: &str = "\
    Accepted|Bad Number|Call Loop|Calls Not Accepted|Carrier is not active|Connected|\
    Customer 611 Restricted|EDGE trunk misconfigured|Emergency Address not defined|Failed Try Again|\
    Fax Not Received|Fax Not Sent|Fax Partially Sent|Fax Poor Line|Fax Prepare Error|Fax Save Error|\
    Fax Send Error|Hang Up|Info 411 Restricted|Internal Call Error|Internal Error|International Disabled|\
    International Restricted|Line Busy|Max Call Limit|No Answer|No Credit|No Digital Line|Not Answered|\
    Number Blocked|Number Disabled|Number Not Allowed|Receive Error|Resource Error|Restricted Number|\
    Stopped|Too Many Calls|Unknown|Wrong Number";
const LEG_TYPES: &str = "\
    SipForwarding|ServiceMinus2|ServiceMinus3|PstnToSip|Accept|FindMe|FollowMe|TestCall|FaxSent|CallBack|\
    CallingCard|RingDirectly|RingOutWebToSubscriber|RingOutWebToCaller|SipToPstnMetered|\
    RingOutClientToSubscriber|RingOutClientToCaller|RingMe|TransferCall|SipToPstnUnmetered|\
    RingOutDeviceToSubscriber|RingOutDeviceToCaller|RingOutOneLegToCaller|ExtensionToExtension|CallPark|\
    PagingServer|Hunting|OutgoingFreeSpDl|ParkLocation|CallMeCallOut|ConferenceCall|MobileApp|\
    MoveToConference|Unknown|MeetingsCall|SilentMonitoring|Monitoring|Pickup|ImsCall|JoinCall|TextRelay|\
    IvaCall|VoiceChat";
const FAX_ERRORS: &str = "\
    AllLinesInUse|Undefined|NoFaxSendPermission|NoInternationalPermission|NoFaxMachine|NoAnswer|LineBusy|\
    CallerHungUp|NotEnoughCredits|SentPartially|InternationalCallingDisabled|DestinationCountryDisabled|\
    UnknownCountryCode|NotAccepted|InvalidNumber|CallDeclined|TooManyCallsPerLine|CallFailed|\
    RenderingFailed|TooManyPages|ReturnToDBQueue|NoCallTime|WrongNumber|ProhibitedNumber|InternalError|\
    FaxSendingProhibited|ThePhoneIsBlacklisted|UserNotFound|ConvertError|DBGeneralError|SkypeBillingFailed|\
    AccountSuspended|ProhibitedDestination|InternationalDisabled";
const INTERNAL_TYPES: &str = "Local|LongDistance|International|Sip|RingMe|RingOut|Usual|TollFreeNumber|VerificationNumber|\
    Vma|LocalNumber|ImsOutgoing|ImsIncoming|Unknown";
const STATUSES: &str = "Queued|Sent|Delivered|DeliveryFailed|SendingFailed|Received";
/// Results that the world has on purpose and the description has not.
const STRANGE_RESULTS: &str = "Quantum Handoff|Echoed|Hang up";

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("JSON")
}

/// Every version of every record and message, one a line.
fn all(world: &World) -> Vec<String> {
    let unknowns = Unknowns::default();
    let renderer = Renderer { cast: &world.cast, origin: "http://127.0.0.1:4010", unknowns: &unknowns };
    let mut lines = Vec::new();
    for record in &world.records {
        for version in &record.versions {
            lines.push(json(&renderer.call(&Face::of_account(record), version, View::Detailed)));
            lines.push(json(&renderer.call(&Face::of_account(record), version, View::Simple)));
        }
    }
    for message in &world.messages {
        lines.extend(message.versions.iter().map(|version| json(&renderer.message(message, version))));
    }
    lines
}

fn digest(plot: Plot) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for line in all(&World::generate(plot)) {
        hasher.update(line.as_bytes());
    }
    hasher.finalize()
}

#[test]
fn the_same_seed_serves_the_same_bytes() {
    let plot = Plot { days: 3, ..Plot::default() };
    assert_eq!(digest(plot), digest(plot));
    assert_ne!(digest(plot), digest(Plot { seed: 2, ..plot }));
}

fn check_fields(object: &Map<String, Value>, known: &str) {
    let known: BTreeSet<&str> = known.split('|').collect();
    for field in object.keys() {
        assert!(known.contains(field.as_str()), "unknown field {field} in {object:?}");
    }
}

fn check_value(object: &Map<String, Value>, field: &str, known: &[&str]) {
    let Some(value) = object.get(field) else { return };
    let value = value.as_str().unwrap_or_default();
    let mut values = known.iter().flat_map(|list| list.split('|'));
    assert!(values.any(|candidate| candidate == value), "unknown {field} {value}");
}

fn check_call(call: &Map<String, Value>, fields: &str) {
    check_fields(call, fields);
    for required in ["type", "direction", "action", "startTime"] {
        assert!(call.contains_key(required), "{required} is missing");
    }
    check_value(call, "type", &["Voice|Fax"]);
    check_value(call, "direction", &["Inbound|Outbound"]);
    check_value(call, "action", &[ACTIONS]);
    check_value(call, "result", &[RESULTS, STRANGE_RESULTS]);
    check_value(call, "reason", &[REASONS]);
    check_value(call, "transport", &["PSTN|VoIP"]);
    check_value(call, "internalType", &[INTERNAL_TYPES]);
    check_value(call, "legType", &[LEG_TYPES]);
    for party in ["from", "to"] {
        check_fields(call[party].as_object().expect("a party"), PARTY_FIELDS);
    }
    for leg in call.get("legs").and_then(Value::as_array).into_iter().flatten() {
        let leg = leg.as_object().expect("a leg");
        assert!(leg.contains_key("legType"));
        check_call(leg, LEG_FIELDS);
    }
}

fn check_message(message: &Map<String, Value>) {
    check_fields(message, MESSAGE_FIELDS);
    check_value(message, "type", &["Fax|SMS|VoiceMail|Pager"]);
    check_value(message, "direction", &["Inbound|Outbound"]);
    check_value(message, "availability", &["Alive|Deleted|Purged"]);
    check_value(message, "messageStatus", &[STATUSES]);
    let to = message.get("to").and_then(Value::as_array).into_iter().flatten();
    for party in to.chain(message.get("from")) {
        let party = party.as_object().expect("a party");
        check_fields(party, MESSAGE_PARTY_FIELDS);
        check_value(party, "messageStatus", &[STATUSES]);
        check_value(party, "faxErrorCode", &[FAX_ERRORS]);
    }
}

#[test]
fn only_described_fields_and_values_are_served() {
    let mut strange = 0;
    for line in all(&World::generate(Plot { days: 3, ..Plot::default() })) {
        let value: Value = serde_json::from_str(&line).expect("JSON");
        let object = value.as_object().expect("an object");
        if object.contains_key("sessionId") {
            check_call(object, RECORD_FIELDS);
            strange += usize::from(STRANGE_RESULTS.split('|').any(|result| value["result"] == result));
        } else {
            check_message(object);
        }
    }
    assert!(strange > 0);
}
