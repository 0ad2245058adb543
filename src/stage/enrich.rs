//! What events are told beside their evidence: where their extension belonged, and what people said of them.

use crate::domain::Zone;
use crate::domain::event::BillableEvent;
use crate::rules::coding::CodingSheet;
use crate::rules::directory::Directory;

/// Fills site, department and cost centre from the directory where the event has none, on the day of its start in the
/// company's zone; and the coding from the sheets. What a confirmed row leaves open stays as the source has it.
pub fn enrich(events: &mut [BillableEvent], directory: &Directory, coding: &CodingSheet, home: Zone) {
    if directory.is_empty() && coding.is_empty() {
        return;
    }
    for event in events {
        let day = home.local(event.start).date();
        if let Some(place) = event.extension.and_then(|extension| directory.place(extension, day)) {
            let fill = |own: &mut Option<String>, known: &Option<String>| {
                if own.is_none() {
                    own.clone_from(known);
                }
            };
            fill(&mut event.site, &place.site);
            fill(&mut event.department, &place.department);
            fill(&mut event.cost_centre, &place.cost_centre);
        }
        if let Some(found) = coding.of(event) {
            let own = event.coding.take().unwrap_or_default();
            event.coding = Some(found.clone().or(own));
        }
    }
}
