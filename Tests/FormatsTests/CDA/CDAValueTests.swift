import Formats
import Primitives
import Records
import TestSupport
import Testing

@Suite("CDA values become values of results")
struct CDAValueTests {
    private static func quantity(
        _ value: String,
        _ unit: String? = nil,
        _ comparator: Quantity.Comparator? = nil
    ) -> Quantity {
        Quantity(
            comparator: comparator,
            value: value,
            unit: unit,
            system: unit.map { _ in "http://unitsofmeasure.org" },
            code: unit
        )
    }

    private static func time(_ text: String) -> ClinicalTime? { CDATime.read(text) }

    static let values: [(String, ItemValue?)] = [
        (#"<value xsi:type="PQ" value="1.00" unit="mg/dL"/>"#, .quantity(quantity("1.00", "mg/dL"))),
        (#"<value xsi:type="PQ" value="-1e3"/>"#, .quantity(quantity("-1e3"))),
        (
            #"<value xsi:type="PQ" value="5" unit="个/HP"/>"#,
            .quantity(Quantity(comparator: nil, value: "5", unit: "个/HP", system: nil, code: nil))
        ),
        (
            #"<value xsi:type="PQ" nullFlavor="OTH"><translation value="152"><originalText>K/uL</originalText></translation></value>"#,
            .quantity(Quantity(comparator: nil, value: "152", unit: "K/uL", system: nil, code: nil))
        ),
        (#"<value xsi:type="INT" value="7"/>"#, .integer(7)),
        (#"<value xsi:type="INT" value="99999999999"/>"#, .quantity(quantity("99999999999"))),
        (#"<value xsi:type="REAL" value="0.50"/>"#, .quantity(quantity("0.50"))),
        (#"<value xsi:type="ST">  1+ </value>"#, .text("1+")),
        (#"<value xsi:type="ST"><![CDATA[a < b]]></value>"#, .text("a < b")),
        (#"<value xsi:type="ED">a &amp; b</value>"#, .text("a & b")),
        (##"<value xsi:type="ED"><reference value="#n"/></value>"##, .text("in the narrative")),
        (#"<value xsi:type="BL" value="false"/>"#, .boolean(false)),
        (#"<value xsi:type="TS" value="202603"/>"#, time("202603").map { .dateTime($0) }),
        (
            #"<value xsi:type="IVL_TS"><low value="2026"/></value>"#,
            .period(start: time("2026"), end: nil)
        ),
        (
            #"<value xsi:type="IVL_PQ"><low value="0" unit="g"/><high value="5" unit="g"/></value>"#,
            .range(low: quantity("0", "g"), high: quantity("5", "g"))
        ),
        (#"<value xsi:type="IVL_PQ"><high value="5"/></value>"#, .quantity(quantity("5", nil, .lessOrEqual))),
        (
            #"<value xsi:type="IVL_PQ"><high value="5" inclusive="false"/></value>"#,
            .quantity(quantity("5", nil, .less))
        ),
        (#"<value xsi:type="IVL_PQ"><low value="5"/></value>"#, .quantity(quantity("5", nil, .greaterOrEqual))),
        (
            #"<value xsi:type="IVL_PQ"><low value="5" inclusive="false"/><high nullFlavor="PINF"/></value>"#,
            .quantity(quantity("5", nil, .greater))
        ),
        (
            #"<value xsi:type="IVL_PQ"><low value="5"/><high nullFlavor="UNK"/></value>"#,
            .range(low: quantity("5"), high: nil)
        ),
        (
            #"<value xsi:type="RTO_PQ_PQ"><numerator value="1"/><denominator value="128"/></value>"#,
            .ratio(numerator: quantity("1"), denominator: quantity("128"))
        ),
        (
            #"<value xsi:type="CD" code="A" codeSystem="2.16.840.1.113883.6.96" displayName="B"/>"#,
            .coded(
                CodedConcept(text: nil, codings: [Coding(system: "http://snomed.info/sct", code: "A", display: "B")])
            )
        ),
        (
            #"<value xsi:type="CE" nullFlavor="OTH"><originalText>rare</originalText></value>"#,
            .coded(CodedConcept(text: "rare", codings: []))
        ),
        (#"<value xsi:type="PQ" value=""/>"#, nil),
        ("", nil),
    ]

    @Test("A value keeps its type, digits and unit", arguments: values.indices)
    func value(_ index: Int) throws {
        let (xml, expected) = Self.values[index]
        let item = try CDASample.item(xml, narrative: #"<content ID="n">in  the narrative</content>"#)
        #expect(item.value == expected, "\(xml)")
        if expected != nil { #expect(item.dataAbsentReason == nil) }
    }

    @Test("A missing value says why", arguments: ["PQ", "CD", "ST", "ED", "IVL_PQ", "BL", "INT", "TS", "RTO"])
    func nullFlavor(_ type: String) throws {
        let item = try CDASample.item(#"<value xsi:type="\#(type)" nullFlavor="NASK"/>"#)
        #expect(item.value == nil)
        #expect(item.dataAbsentReason?.primary?.code == "NASK")
    }

    @Test("A value of a type that an exam has no form for is known to exist", arguments: ["GLIST_PQ", "PIVL_TS", "MO"])
    func unsupported(_ type: String) throws {
        let item = try CDASample.item(#"<value xsi:type="\#(type)" value="1"/>"#)
        #expect(item.value == nil)
        #expect(item.dataAbsentReason?.primary?.code == "unsupported")
    }

    @Test("A reference to no text, or to one of two, is a value that is missing by error")
    func dangling() throws {
        let value = ##"<value xsi:type="ED"><reference value="#n"/></value>"##
        let text = #"<content ID="n">a</content>"#
        #expect(try CDASample.item(value, narrative: text).value == .text("a"))
        for narrative in ["", text + text.replacing("a<", with: "b<")] {
            let item = try CDASample.item(value, narrative: narrative)
            #expect(item.value == nil)
            #expect(item.dataAbsentReason?.primary?.code == "error")
        }
    }

    @Test("An observation without name and value is passed over")
    func nothing() throws {
        let empty = CDASample.observation(#"<value xsi:type="CD" nullFlavor="UNK"/>"#)
            .replacing(#"<code displayName="x"/>"#, with: #"<code nullFlavor="UNK"/>"#)
        #expect(try CDASample.read(CDASample.document(empty)).exam.items.isEmpty)
    }

    @Test("Further values are components")
    func severalValues() throws {
        let item = try CDASample.item(#"<value xsi:type="ST">a</value><value xsi:type="ST">b</value>"#)
        #expect(item.value == .text("a"))
        #expect(item.components.map(\.value) == [.text("b")])
    }

    @Test(
        "What a negated observation did not find cannot be taken for a finding",
        arguments: [
            ("<value xsi:type=\"CD\" code=\"1\" displayName=\"Mass\"/>", "negationInd=true: Mass"),
            ("<value xsi:type=\"PQ\" value=\"5\" unit=\"g\"/>", "negationInd=true: 5 g"), ("", "negationInd=true"),
        ]
    )
    func negated(_ xml: String, _ text: String) throws {
        let attributes = #"classCode="OBS" moodCode="EVN" negationInd="true""#
        #expect(try CDASample.item(xml, attributes: attributes).value == .text(text))
    }

    @Test(
        "The status of an act becomes that of the result",
        arguments: [
            ("completed", ExamStatus.final), ("active", .registered), ("held", .registered), ("aborted", .cancelled),
            ("cancelled", .cancelled), ("nullified", .enteredInError), ("obsolete", .unknown),
        ]
    )
    func status(_ code: String, _ status: ExamStatus) throws {
        let text = CDASample.document(CDASample.observation(#"<statusCode code="\#(code)"/>"#))
        let exam = try CDASample.read(text).exam
        #expect(exam.items[0].status == status)
        #expect(exam.status == (status == .unknown ? .preliminary : status))
    }

    @Test("A report of which a part is pending is partial, and one that nobody signed is preliminary")
    func documentStatus() throws {
        let done = CDASample.observation(#"<statusCode code="completed"/>"#)
        let pending = CDASample.observation(#"<statusCode code="active"/>"#)
        let signature = "<legalAuthenticator><time/><signatureCode/></legalAuthenticator>"
        func status(_ entries: String, _ header: String = "") throws -> ExamStatus {
            try CDASample.read(CDASample.document(entries, header: header)).exam.status
        }
        #expect(try status(done + pending) == .partial)
        #expect(try status(done) == .final)
        #expect(try status(CDASample.observation("")) == .preliminary)
        #expect(try status(CDASample.observation(""), signature) == .final)
        #expect(try status("", signature.replacing("Code/", with: "Code code=\"X\"/")) == .preliminary)
    }

    @Test("Orders, goals and images are no results", arguments: ["RQO", "GOL", "PRMS", "INT"])
    func moods(_ mood: String) throws {
        let entries =
            CDASample.observation("", attributes: #"classCode="OBS" moodCode="\#(mood)""#)
            + CDASample.observation("", attributes: #"classCode="DGIMG" moodCode="EVN""#)
        #expect(try CDASample.read(CDASample.document(entries)).exam.items.isEmpty)
    }

    @Test("A results section without coded entries gives its narrative")
    func narrativeOnly() throws {
        let text = CDASample.document("", narrative: "<list><item>K 4.2</item><item>Na 140</item></list>")
        let exam = try CDASample.read(text).exam
        #expect(exam.conclusion == "K 4.2\nNa 140")
        #expect(exam.items.isEmpty)
    }
}

@Suite("Points in time are read as HL7 version 3 writes them")
struct CDATimeTests {
    @Test(
        "Precision and offset are kept",
        arguments: [
            ("2026", ClinicalTime.Precision.year, nil, 1_767_225_600_000), ("202603", .month, nil, 1_772_323_200_000),
            ("20260301", .day, nil, 1_772_323_200_000), ("2026030108+0800", .hour, 480, 1_772_323_200_000),
            ("202603010830-0530", .minute, -330, 1_772_373_600_000),
            ("20260301000060", .second, nil, 1_772_323_260_000),
            ("20260301000000.1239+08", .fraction, 480, 1_772_294_400_123),
        ] as [(String, ClinicalTime.Precision, Int?, Int64)]
    )
    func valid(_ text: String, _ precision: ClinicalTime.Precision, _ offset: Int?, _ earliest: Int64) throws {
        let time = try #require(CDATime.read(text))
        #expect(time.text == text)
        #expect(time.precision == precision)
        #expect(time.offsetMinutes == offset)
        #expect(time.earliest == Timestamp(milliseconds: earliest))
    }

    @Test(
        "What does not exist or is written otherwise is no time",
        arguments: [
            "", "26", "20261301", "20260230", "2026030124", "202603010860", "20260301083061", "2026030", "2026-03-01",
            "20260301T0830", "20260301083000.", "202603010830.5", "20260301083000Z", "20260301083000+1500",
            "20260301083000+08:00", "20260301083000+080", "00000101", " 2026", "２０２６", "20260301083000+0860",
        ]
    )
    func invalid(_ text: String) { #expect(CDATime.read(text) == nil) }
}
