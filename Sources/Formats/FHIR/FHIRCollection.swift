package import Records

/// The resources of an exam in a form that can be imported by itself.
package enum FHIRCollection {
    /// A Bundle of the resources, byte for byte, each with the URL by which others refer to it.
    package static func bytes(of parts: [RecordContent.Part]) -> [UInt8] {
        var bytes = Array(#"{"resourceType":"Bundle","type":"collection","entry":["#.utf8)
        for (index, part) in parts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += Array("{".utf8)
            let role = part.type.split(separator: " ", maxSplits: 1)
            // A URL of a FHIR resource holds no character that JSON would escape.
            if role.count == 2 { bytes += Array("\"fullUrl\":\"\(role[1])\",".utf8) }
            bytes += Array("\"resource\":".utf8) + part.bytes + Array("}".utf8)
        }
        return bytes + Array("]}".utf8)
    }
}
