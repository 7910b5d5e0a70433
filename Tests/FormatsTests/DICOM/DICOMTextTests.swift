import Formats
import Records
import TestSupport
import Testing

@Suite("Texts of DICOM are read in the character sets that they name")
struct DICOMTextTests {
    struct Sample: Sendable {
        var sets: String
        var bytes: [UInt8]
        var label: String
    }

    private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// The examples of PS3.5 annexes H to K, and one for each further kind of designation.
    static let samples: [Sample] = [
        // H.3.1: ideographs and sounds in JIS X 0208.
        Sample(
            sets: "\\ISO 2022 IR 87",
            bytes: ascii(
                "Yamada^Tarou=\u{1b}$B;3ED\u{1b}(B^\u{1b}$BB@O:\u{1b}(B=\u{1b}$B$d$^$@\u{1b}(B^\u{1b}$B$?$m$&\u{1b}(B"
            ),
            label: "山田太郎"
        ),
        // H.3.2: letters in JIS X 0201.
        Sample(
            sets: "ISO 2022 IR 13\\ISO 2022 IR 87",
            bytes: [0xd4, 0xcf, 0xc0, 0xde, 0x5e, 0xc0, 0xdb, 0xb3]
                + ascii("=\u{1b}$B;3ED\u{1b}(J^\u{1b}$BB@O:\u{1b}(J"),
            label: "山田太郎"
        ),
        Sample(sets: "ISO_IR 13", bytes: [0xd4, 0xcf, 0xc0, 0xde, 0x5e, 0xc0, 0xdb, 0xb3], label: "ﾔﾏﾀﾞﾀﾛｳ"),
        // I.2: Korean.
        Sample(
            sets: "\\ISO 2022 IR 149",
            bytes: ascii("Hong^Gildong=\u{1b}$)C") + [0xfb, 0xf3] + ascii("^\u{1b}$)C") + [0xd1, 0xce, 0xd4, 0xd7],
            label: "洪吉洞"
        ),
        // J.3: Chinese in UTF-8, GB 18030 and GBK.
        Sample(sets: "ISO_IR 192", bytes: ascii("Wang^XiaoDong=王^小東"), label: "王小東"),
        Sample(sets: "GB18030", bytes: [0xcd, 0xf5, 0x5e, 0xd0, 0xa1, 0xb6, 0xab], label: "王小东"),
        Sample(sets: "GBK", bytes: [0xcd, 0xf5, 0x5e, 0xd0, 0xa1, 0xb6, 0xab], label: "王小东"),
        // A second byte that is a backslash or a caret separates nothing.
        Sample(sets: "GB18030", bytes: [0x81, 0x5c, 0x5e, 0x81, 0x5e], label: "乗乛"),
        // K: GB 2312 with code extensions.
        Sample(
            sets: "\\ISO 2022 IR 58",
            bytes: ascii("Zhang^XiaoDong=\u{1b}$)A") + [0xd5, 0xc5] + ascii("^\u{1b}$)A") + [0xd0, 0xa1, 0xb6, 0xab],
            label: "张小东"
        ),
        // JIS X 0212.
        Sample(sets: "\\ISO 2022 IR 159", bytes: ascii("\u{1b}$(D0!\u{1b}(B"), label: "丂"),
        Sample(sets: "ISO_IR 100", bytes: ascii("Buc^J") + [0xe9, 0x72, 0xf4, 0x6d, 0x65], label: "Buc Jérôme"),
        Sample(
            sets: "ISO 2022 IR 100\\ISO 2022 IR 144",
            bytes: [0xe4] + ascii("^\u{1b}-L") + [0xbb],
            label: "ä Л"
        ),
        Sample(sets: "ISO_IR 144", bytes: [0xbb, 0xee, 0xda], label: "Люк"),
        Sample(sets: "ISO_IR 166", bytes: [0xb9, 0xd2], label: "นา"),
        // Without a defined term ASCII is still ASCII.
        Sample(sets: "ISO-IR 100", bytes: ascii("Buc^J"), label: "Buc J"),
        Sample(sets: "ISO_IR 203", bytes: [0xa4], label: "€"),
    ]

    private static func label(_ sets: String, _ bytes: [UInt8]) -> (label: String?, code: String?) {
        let input = DICOMInput(files: [TestInstance(characterSet: sets, name: bytes).file()])
        guard case .patient(let patient) = input.exams.first?.subject else { return (nil, input.code) }
        return (patient.name?.label, nil)
    }

    @Test("A name is read as its standard says", arguments: samples)
    func names(_ sample: Sample) { #expect(Self.label(sample.sets, sample.bytes).label == sample.label) }

    @Test(
        "A text that is not in its character sets is refused",
        arguments: [
            // GBK under other names.
            ("ISO_IR 100", [0xd5, 0x85]), ("", [0xd5, 0xc5]), ("ISO_IR 192", [0xd5, 0xc5]),
            // A cut character, an unknown escape sequence, one without code extensions, half a pair.
            ("GB18030", [0xd5]), ("\\ISO 2022 IR 87", [0x1b, 0x24, 0x5a, 0x41]),
            ("ISO_IR 100", [0x1b, 0x28, 0x42, 0x41]),
            ("\\ISO 2022 IR 87", [0x1b, 0x24, 0x42, 0x3b]), ("\\ISO 2022 IR 87", [0x41, 0x1b]),
        ] as [(String, [UInt8])]
    )
    func undecodable(_ sets: String, _ bytes: [UInt8]) {
        #expect(Self.label(sets, bytes).code == "dicom.undecodable-text")
    }

    @Test("The end of a line ends what an escape sequence designated in a free text")
    func lines() throws {
        var instance = TestInstance(characterSet: "\\ISO 2022 IR 87", pixelDataBytes: nil)
        instance.after0020 = {
            $0.add(0x0042_0010, "ST", Self.ascii("\u{1b}$B;3ED\r\nab\u{1b}$BB@O:"))
            $0.add(0x0042_0012, "LO", "text/plain")
        }
        let exam = DICOMInput(files: [instance.file()]).exams.first?.exam
        #expect(exam?.presentedForms.first?.title == "山田\r\nab太郎")
        // A space is no character of the designated set.
        instance.after0020 = { $0.add(0x0042_0012, "LO", Self.ascii("\u{1b}$B;3 ED")) }
        #expect(DICOMInput(files: [instance.file()]).code == "dicom.undecodable-text")
    }

    @Test("A delimiter of a name ends what an escape sequence designated")
    func delimiters() {
        let bytes = Self.ascii("\u{1b}$)C") + [0xfb, 0xf3] + Self.ascii("^") + [0xd1, 0xce]
        #expect(Self.label("\\ISO 2022 IR 149", bytes).code == "dicom.undecodable-text")
    }

    @Test("A sequence's item may have a character set of its own, and has its data set's otherwise")
    func items() throws {
        var instance = TestInstance(characterSet: "GB18030")
        instance.before0010 = {
            $0.add(
                0x0008_1032,
                items: [
                    {
                        $0.add(0x0008_0100, "SH", "1")
                        $0.add(0x0008_0102, "SH", "99T")
                        $0.add(0x0008_0104, "LO", [0xd0, 0xd8])
                    },
                    {
                        $0.add(0x0008_0005, "CS", "ISO_IR 192")
                        $0.add(0x0008_0100, "SH", "2")
                        $0.add(0x0008_0102, "SH", "99T")
                        $0.add(0x0008_0104, "LO", "头")
                    },
                ]
            )
        }
        let exam = try #require(DICOMInput(files: [instance.file()]).exams.first?.exam)
        #expect(exam.code.codings.map(\.display) == ["胸", "头"])
        #expect(exam.code.codings.map(\.system) == ["99T", "99T"])
    }

    @Test(
        "Names of one person are told from those of two",
        arguments: [
            ("Zhang^San", "ZHANG^SAN^^^", true), ("Zhang^San=张^三", "Zhang^San", true), ("Zhang^San", "Zhang^Si", false),
            ("Zhang^San=张^三", "Zhang^San=张^四", false), ("=张^三", "Zhang^San", true),
        ]
    )
    func agreement(_ left: String, _ right: String, agrees: Bool) {
        let files = zip(["1.2.1", "1.2.2"], [left, right]).map { uid, name in
            TestInstance(characterSet: "ISO_IR 192", uid: uid, name: Array(name.utf8)).file()
        }
        #expect((DICOMInput(files: files).code == nil) == agrees)
    }
}
