package import Foundation

/// Where things lie in an agent's home.
package struct HomeLayout: Sendable {
    package let root: URL

    package init(root: URL) { self.root = root }

    /// The public card, to be handed to whoever founds the chain.
    package var card: URL { self.root.appending(path: "card") }
    package var genesis: URL { self.root.appending(path: "genesis") }
    package var socket: URL { self.root.appending(path: "agent.sock") }
    package var voteLog: URL { self.root.appending(path: "votes.log") }
    /// What was opened in emergencies without contact; its second copy is in `custodyDatabase`.
    package var emergencyLog: URL { self.root.appending(path: "emergency.log") }
    package var chainDatabase: URL { self.root.appending(path: "chain.sqlite") }
    package var locatorDatabase: URL { self.root.appending(path: "locators.sqlite") }
    package var custodyDatabase: URL { self.root.appending(path: "custody.sqlite") }
    /// Uploads and join spools; emptied at start.
    package var spool: URL { self.root.appending(path: "spool") }
}
