internal import Cases
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Services
internal import Trust

/// `/services`: what residents can report and ask for, and the forms to do so.
extension SiteDoor {
    static let servicesTag = "Services"
    static let municipalityParameter = Route.Parameter("municipality", in: .query, "The municipality; by default the only one, or the standard one")

    var serviceRoutes: [Route] {
        let page = Route.Answer(200, "The page", mediaTypes: ["text/html", Self.textType])
        let code = Route.Parameter("code", in: .path, "The service's code")
        return [
            Route(
                .get, "/services", "What residents can report and ask for", tag: Self.servicesTag, parameters: [Self.municipalityParameter], responses: [page],
                handler: servicesPage),
            Route(
                .get, "/services/{code}", "The form of a service", tag: Self.servicesTag, parameters: [code, Self.municipalityParameter], responses: [page],
                handler: reportPage),
            Route(
                .post, "/services/{code}", "File a report", tag: Self.servicesTag, parameters: [code],
                body: .init([MultipartForm.mediaType], schema: ["type": "object"], isStreamed: true),
                responses: [
                    .init(200, "Reports nearby that are likely the same, or places with this name; with the form as it was filled in", mediaTypes: ["text/html"]),
                    .init(303, "Filed: the private page of the case"),
                    .init(413, "The form is too large", mediaTypes: ["application/problem+json"]),
                    .init(415, "It is no form", mediaTypes: ["application/problem+json"]),
                    .init(422, "The form again, with what was wrong", mediaTypes: ["text/html"]),
                    .init(429, "Too many from one connection; Retry-After says when to come again", mediaTypes: ["text/html"]),
                ], handler: fileReport),
        ]
    }

    /// The municipality that a page is about.
    func municipality(_ wanted: String?) async throws -> MunicipalityName {
        let names = try await configuration.municipalities()
        guard let wanted, !wanted.isEmpty else { return names.contains(.standard) || names.count != 1 ? .standard : names[0] }
        guard let name = names.first(where: { $0.text == wanted }) else { throw CityError.resourceNotFound("municipality: there is no \(wanted.prefix(100))") }
        return name
    }

    func name(of municipality: MunicipalityName, in catalogue: Catalogue) -> String {
        catalogue.municipality(municipality.text).map { catalogue.municipalities[$0].name } ?? municipality.text
    }

    private func servicesPage(_ request: DoorRequest) async throws -> Response {
        if request.wantsPlainText { return try await plain(request, textHome) }
        let catalogue = try await city.catalogue(request)
        var page = PageModel(.services, self, request, catalogue, cursor: cursor(catalogue))
        let (language, names) = (page.language, try await configuration.municipalities())
        let (chosen, services) = try await shownServices(request.query["municipality"])
        page.members["municipality"] = .string(chosen.text)
        page.members["choice"] = .bool(names.count > 1)
        page.members["municipalities"] = .array(
            names.map { ["key": .string($0.text), "name": .string(name(of: $0, in: catalogue)), "selected": .bool($0 == chosen)] })
        page.members["groups"] = groups(services, chosen, language)
        return try answer(page, request)
    }

    /// What a municipality offers. Where none is named and there are several, it is the first that offers something.
    func shownServices(_ wanted: String?) async throws -> (municipality: MunicipalityName, services: [OfferedService]) {
        let chosen = try await municipality(wanted)
        let services = try await offered(chosen)
        guard services.isEmpty, wanted == nil else { return (chosen, services) }
        for name in try await configuration.municipalities().prefix(50) where name != chosen {
            let others = try await offered(name)
            if !others.isEmpty { return (name, others) }
        }
        return (chosen, services)
    }

    private func offered(_ municipality: MunicipalityName) async throws -> [OfferedService] {
        do { return try await desk.catalogue.services(try await gatekeeper.reading(municipality, .none)) } catch CityError.nonexistentTenant { return [] }
    }

    /// Services by what they are listed under, in the order of their titles.
    func grouped(_ services: [OfferedService], _ language: Language) -> [(title: String, services: [OfferedService])] {
        let sorted = services.sorted { $0.definition.title[language.code] < $1.definition.title[language.code] }
        let groups = OrderedDictionary(grouping: sorted) { $0.definition.group?[language.code] ?? "" }
        return groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func groups(_ services: [OfferedService], _ municipality: MunicipalityName, _ language: Language) -> JSON {
        guard !services.isEmpty else { return .null }
        return .array(
            grouped(services, language).map { title, services in
                [
                    "title": .string(title),
                    "services": .array(
                        services.map { service in
                            let code = service.definition.id.text
                            let query = PageAddress(pairs: [("municipality", municipality.text)]).query
                            return [
                                "title": .string(service.definition.title[language.code]), "help": service.definition.help.map { .string($0[language.code]) } ?? .null,
                                "href": .string("/services/\(code)?\(query)"),
                            ]
                        }),
                ]
            })
    }
}
