/// Decides which resources are exams.
///
/// - Every DiagnosticReport is one, with the observations and studies it names.
/// - An ImagingStudy is one unless a report names it.
/// - An Observation is one, with the observations it groups, unless a report or another observation leads to it. What
///   a refused report names is no exam either: it would be read without its context.
/// - Observations that group each other in a ring make one exam, which begins at the first of them.
struct ExamRoots {
    /// Positions in the graph, ascending.
    private(set) var indices: [Int] = []
    private let graph: ResourceGraph
    private var covered: [Bool]
    /// First bytes of the resources that were walked through; contained resources have no position in the graph.
    private var walked: Set<Int> = []

    init(_ graph: ResourceGraph) {
        self.graph = graph
        self.covered = Array(repeating: false, count: graph.entries.count)
        for (index, entry) in graph.entries.enumerated() where entry.type == .diagnosticReport {
            self.indices.append(index)
            self.cover(from: index, by: [FHIRKey.result, FHIRKey.imagingStudy])
        }
        var isMember = Array(repeating: false, count: graph.entries.count)
        for (index, entry) in graph.entries.enumerated() where entry.type == .observation && !self.covered[index] {
            for target in self.targets(of: entry.value, owner: index, FHIRKey.hasMember) where target.owner != index {
                isMember[target.owner] = true
            }
        }
        for (index, entry) in graph.entries.enumerated()
        where entry.type.isExam && !self.covered[index] && !isMember[index] && entry.type != .diagnosticReport {
            self.add(index)
        }
        for (index, entry) in graph.entries.enumerated() where entry.type == .observation && !self.covered[index] {
            self.add(index)
        }
        self.indices.sort()
    }

    private mutating func add(_ index: Int) {
        self.indices.append(index)
        self.covered[index] = true
        self.cover(from: index, by: [FHIRKey.hasMember])
    }

    private mutating func cover(from root: Int, by keys: [JSONKey]) {
        var open: [ResourceGraph.Target] = []
        for key in keys { open += self.targets(of: self.graph.entries[root].value, owner: root, key) }
        while let target = open.popLast() {
            guard self.walked.insert(target.value.offset).inserted else { continue }
            if self.graph.entries[target.owner].value.offset == target.value.offset {
                self.covered[target.owner] = true
            }
            open += self.targets(of: target.value, owner: target.owner, FHIRKey.hasMember)
        }
    }

    private func targets(of value: JSONValue, owner: Int, _ key: JSONKey) -> [ResourceGraph.Target] {
        guard let references = value[key] else { return [] }
        var targets: [ResourceGraph.Target] = []
        for reference in references.elements {
            if let literal = reference[FHIRKey.reference]?.string,
                case .found(let target) = self.graph.resolve(literal, from: owner)
            {
                targets.append(target)
            }
        }
        return targets
    }
}
