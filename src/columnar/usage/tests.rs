use super::*;
use crate::domain::Country;
use crate::domain::Zone;
use crate::domain::disposition::SuspenseReason;
use crate::domain::number::NumberReader;
use crate::stage::mediate::usage_event;

const COLUMNS: &str = "id,start,channel,direction,seconds,carrier_cost,matter,timekeeper,task,site,department,cost_centre,\
ringcentral_account,error_code\n";
const ROW: &str =
    "u1,2026-03-09T14:00:00-04:00,voice,outbound,61,0.01000000000001,M-1,JD,L120,NY,Tax,CC7,4001,E-1\n";

fn one(name: &str, bytes: &[u8]) -> UsageRow {
    let rows = read(name, bytes, None).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(rows.len(), 1);
    rows.into_iter().next().unwrap().row
}

#[test]
fn the_three_forms_say_the_same() {
    let csv = one("a.csv", format!("{COLUMNS}{ROW}").as_bytes());
    assert_eq!(csv.carrier_cost.map(|cost| cost.to_string()).as_deref(), Some("0.01000000000001"));
    assert_eq!((csv.milliseconds, csv.matter.as_deref()), (Some(61_000), Some("M-1")));
    assert_eq!((csv.error_code.as_deref(), csv.cost_centre.as_deref()), (Some("E-1"), Some("CC7")));
    let json = r#"{"id":"u1","start":"2026-03-09T14:00:00-04:00","channel":"voice","direction":"outbound","seconds":61,
        "carrier_cost":0.01000000000001,"matter":"M-1","timekeeper":"JD","task":"L120","site":"NY","department":"Tax",
        "cost_centre":"CC7","ringcentral_account":"4001","error_code":"E-1"}"#;
    assert_eq!(one("a.jsonl", json.replace('\n', " ").as_bytes()), csv);
    let mut frame = df!(
        "id" => ["u1"], "start" => ["2026-03-09T14:00:00-04:00"], "channel" => ["voice"],
        "direction" => ["outbound"], "seconds" => [61_i64], "carrier_cost" => ["0.01000000000001"],
        "matter" => ["M-1"], "timekeeper" => ["JD"], "task" => ["L120"], "site" => ["NY"],
        "department" => ["Tax"], "cost_centre" => ["CC7"], "ringcentral_account" => [4001_i64],
        "error_code" => ["E-1"]
    )
    .unwrap();
    let parquet = |frame: &mut DataFrame| {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(frame).unwrap();
        bytes
    };
    assert_eq!(one("a.parquet", &parquet(&mut frame)), csv);
    let exact = frame.column("carrier_cost").unwrap().cast(&DataType::Decimal(38, 14)).unwrap();
    frame.with_column(exact).unwrap();
    assert_eq!(one("a.parquet", &parquet(&mut frame)), csv);
    let rough = Column::new("carrier_cost".into(), [0.01_f64]);
    frame.with_column(rough).unwrap();
    assert_eq!(read("a.parquet", &parquet(&mut frame), None).unwrap_err()[0].code, "wrong-column-type");
}

#[test]
fn absent_zero_negative_and_unreadable_are_four_things() {
    let event = |cells: &str| {
        let text =
            format!("id,start,channel,direction,outcome,seconds,segments,pages,carrier_cost\nu1,{cells}\n");
        let rows = read("a.csv", text.as_bytes(), None).map_err(|mistakes| mistakes[0].message.clone())?;
        let mut numbers = NumberReader::new(Country::from_code("US").unwrap());
        usage_event(&mut numbers, &rows[0].row).map_err(|(reason, detail)| format!("{reason}: {detail}"))
    };
    const HEAD: &str = "2026-03-09T14:00:00Z,voice,outbound,answered";
    let event = |cells: &str| event(&format!("{HEAD},{cells}"));
    assert_eq!(event(",,,").map(|event| event.quantities.master), Ok(None));
    assert_eq!(event("0,,,").map(|event| event.quantities.master), Ok(Some(0)));
    assert_eq!(event("0,,,").map(|event| event.carrier_cost), Ok(None));
    let negative = SuspenseReason::NegativeQuantity;
    assert_eq!(event("-5,,,").map(|_| ()), Err(format!("{negative}: milliseconds -5000")));
    assert_eq!(event(",-1,,").map(|_| ()), Err(format!("{negative}: segments -1")));
    assert_eq!(event(",,-2,").map(|_| ()), Err(format!("{negative}: pages -2")));
    for cells in ["5.5,,,", "1e3,,,", "x,,,", ",,,1e-3", ",,,0.01 USD", ",,,1/3", "99999999999999,,,"] {
        assert!(event(cells).is_err_and(|told| told.starts_with("row 2: ")), "{cells}");
    }
}

#[test]
fn a_time_without_an_offset_is_read_as_was_said() {
    let starts = |start: &str, local: Option<&LocalTimes>| -> Result<Option<Instant>, String> {
        let text = format!("id,start,channel,direction\nu1,{start},voice,outbound\n");
        let rows = read("a.csv", text.as_bytes(), local).map_err(|mistakes| mistakes[0].message.clone())?;
        Ok(rows[0].row.start)
    };
    assert!(starts("2026-03-09T14:00:00", None).is_err());
    let local = LocalTimes::of(Zone::from_name("America/New_York").unwrap());
    assert_eq!(starts("2026-03-09T14:00:00", Some(&local)), Ok(Instant::parse("2026-03-09T18:00:00Z")));
    let told = starts("2026-11-01T01:30:00", Some(&local)).unwrap_err();
    assert!(told.ends_with("which the clocks of America/New_York showed twice"), "{told}");
}
