/// What a person, program or device is in the city. One can have several roles.
package enum Role: String, CaseIterable, Hashable, Sendable {
    case resident
    /// The department whose data it is.
    case ownerDepartment = "owner-department"
    /// Who answers for how good some data is.
    case steward
    case dataProtectionOfficer = "data-protection-officer"
    case securityLead = "security-lead"
    case analyst
    case publisher
    case partnerOperator = "partner-operator"
    case neighbourMunicipality = "neighbour-municipality"
    case auditor
    case supplier
    case device
    case administrator
    /// Whoever runs the program on its machine, and the program itself.
    case operatorOnMachine = "operator"
    /// The holder of an API token with the right to read.
    case tokenReader = "token-reader"
    /// The holder of an API token with the right to write.
    case tokenWriter = "token-writer"
    /// The holder of an API token with the right to administer.
    case tokenAdministrator = "token-administrator"
}
