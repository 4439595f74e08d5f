import CityModel
import Foundation
import GRDB
import Store
import Testing

@Suite struct FileFaultTests {
    @Test(arguments: [
        (ResultCode.SQLITE_FULL, FileFault.full), (.SQLITE_IOERR, .unavailable), (.SQLITE_IOERR_FSYNC, .unavailable), (.SQLITE_IOERR_SHORT_READ, .unavailable),
        (.SQLITE_CANTOPEN, .unavailable), (.SQLITE_ABORT, .unavailable), (.SQLITE_CORRUPT, .damaged), (.SQLITE_CORRUPT_INDEX, .damaged), (.SQLITE_NOTADB, .damaged),
    ])
    func `a fault of the disk is told apart from one of the file`(code: ResultCode, fault: FileFault) {
        #expect(FileFault(DatabaseError(resultCode: code)) == fault)
    }

    @Test func `a full disk is one for the files beside the database too`() {
        #expect(FileFault(CocoaError(.fileWriteOutOfSpace)) == .full)
    }

    @Test func `what this program or a request got wrong is no fault of the file`() {
        #expect(FileFault(DatabaseError(resultCode: .SQLITE_CONSTRAINT)) == nil)
        #expect(FileFault(DatabaseError(resultCode: .SQLITE_ERROR)) == nil)
        #expect(FileFault(CityError.resourceNotFound("x")) == nil)
        #expect(FileFault(CocoaError(.fileNoSuchFile)) == nil)
    }
}
