internal import CityModel
internal import Declarations
internal import OrderedCollections
internal import Query

/// Reads what a rule is about.
struct WhatParser {
    let context: PolicyParser

    func what(_ value: YAMLValue) throws(DeclarationError) -> What {
        guard value.isMapping else {
            guard value.scalar == "everything" else {
                throw value.failure("everything, or some of \(PolicyKeys.what.joined(separator: ", ")) are needed here")
            }
            return .everything
        }
        let part = try value.part(keys: PolicyKeys.what)
        guard !part.members.isEmpty else { throw value.failure("for everything write what: everything") }
        var what = What()
        what.types = try part["types"].map { value throws(DeclarationError) in try context.types(value) }
        what.attributes = try part["attributes"].map { value throws(DeclarationError) in try context.attributes(value) }
        what.scopes = try part["scopes"].map { value throws(DeclarationError) in try scopes(value) }
        what.classifications = try part["classifications"].map { value throws(DeclarationError) in try classifications(value) }
        what.sources = try part["sources"].map { value throws(DeclarationError) in try context.texts(value) }
        what.area = try part["within"].map { value throws(DeclarationError) in try area(value) }
        what.isAboutRequester = try isAboutRequester(part["subject"])
        return what
    }

    private func scopes(_ value: YAMLValue) throws(DeclarationError) -> Set<ScopePattern> {
        var patterns: Set<ScopePattern> = []
        for element in try context.list(value) {
            let text = try element.text()
            guard let pattern = ScopePattern(text) else {
                throw element.failure("\(text) is not a scope such as /Montpellier/Mosson, with + for any one level and /# for all below")
            }
            patterns.insert(pattern)
        }
        return patterns
    }

    private func classifications(_ value: YAMLValue) throws(DeclarationError) -> Set<Classification> {
        guard value.isMapping else { return try context.choices(value, Classification.self) }
        let highest = try value.part(keys: PolicyKeys.upTo).required("upTo").choice(Classification.self)
        return Set(Classification.allCases.filter { $0 <= highest })
    }

    private func isAboutRequester(_ value: YAMLValue?) throws(DeclarationError) -> Bool {
        guard let value else { return false }
        guard value.scalar == "self" else { throw value.failure("self is the only thing to say here: what is about the person who asks") }
        return true
    }

    private func area(_ value: YAMLValue) throws(DeclarationError) -> Area {
        let geometry = value.isMapping ? try polygon(value) : try box(value)
        do { return try Area(geometry) } catch { throw value.failure(error.detail) }
    }

    private func polygon(_ value: YAMLValue) throws(DeclarationError) -> Geometry {
        let part = try value.part(keys: PolicyKeys.area)
        let kind = try part.required("type").text()
        guard kind == Geometry.Kind.polygon.rawValue || kind == Geometry.Kind.multiPolygon.rawValue else {
            throw value.failure("an area is a Polygon or a MultiPolygon, not a \(kind)")
        }
        let coordinates = try part.required("coordinates")
        do { return try Geometry(typeName: kind, coordinates: coordinates.json()) } catch let error as Geometry.Invalid {
            throw coordinates.failure(error.reason)
        } catch let error as DeclarationError {
            throw error
        } catch {
            throw coordinates.failure("\(error)")
        }
    }

    private func box(_ value: YAMLValue) throws(DeclarationError) -> Geometry {
        var sides: [Double] = []
        for side in try value.elements(countMax: 4) { sides.append(try side.number()) }
        guard sides.count == 4, sides[0] < sides[2], sides[1] < sides[3] else {
            throw value.failure("[west, south, east, north] in degrees, or a GeoJSON polygon, is needed here")
        }
        let corners = [(0, 1), (2, 1), (2, 3), (0, 3), (0, 1)].map { JSON.array([.number(sides[$0.0]), .number(sides[$0.1])]) }
        do { return try Geometry(typeName: Geometry.Kind.polygon.rawValue, coordinates: .array([.array(corners)])) } catch {
            throw value.failure(error.reason)
        }
    }
}
