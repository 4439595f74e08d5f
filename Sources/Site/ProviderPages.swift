internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import OrderedCollections
internal import Trust

/// `/sign-in/provider`: to the identity provider and back.
extension SiteDoor {
    var providerRoutes: [Route] {
        guard configuration.provider != nil else { return [] }
        func parameter(_ name: String, _ summary: String) -> Route.Parameter { .init(name, in: .query, summary) }
        return [
            Route(
                .get, "/sign-in/provider", "To the identity provider", tag: Self.accountsTag, parameters: [parameter("return", "The page to go to afterwards")],
                responses: [.init(303, "The provider's page")], handler: toProvider),
            Route(
                .get, "/sign-in/provider/callback", "Back from the identity provider", tag: Self.accountsTag,
                parameters: [
                    parameter("code", "The authorisation code"), parameter("state", "What was sent along"), parameter("iss", "The issuer (RFC 9207)"),
                    parameter("error", "Why there is no code"),
                ],
                responses: [.init(303, "Signed in: the next page"), .init(422, "The form to sign in, with what was wrong", mediaTypes: ["text/html"])],
                handler: fromProvider),
        ]
    }

    /// What the provider knows as ours; it refuses any other.
    private func callback(_ request: DoorRequest) -> String { (configuration.publicAddress ?? request.origin) + "/sign-in/provider/callback" }

    private func toProvider(_ request: DoorRequest) async throws -> Response {
        guard let provider = configuration.provider else { throw CityError.resourceNotFound("no identity provider is set up here") }
        guard BrowserCookie.isPossible(request.headers, authority: request.authority) else {
            return try await signInPage(request, FormFields(), fault: "insecure", status: .unprocessableContent)
        }
        let wanted = Preferences.safeReturn(request.query["return"] ?? "/account")
        // A link elsewhere signs nobody in.
        guard !RequestOrigin.isForeignPage(request.headers) else { return redirect(to: "/sign-in", request) }
        // A cookie holds it on the way.
        let target = wanted.utf8.count <= 1000 ? wanted : "/account"
        do {
            let (errand, address) = try await provider.begin(redirect: callback(request), target: target, at: request.now)
            return redirect(to: address, request, setting: [(.errand, errand)])
        } catch {
            return try await failed(error, request)
        }
    }

    private func fromProvider(_ request: DoorRequest) async throws -> Response {
        guard let provider = configuration.provider else { throw CityError.resourceNotFound("no identity provider is set up here") }
        let answer = SignInProvider.Return(
            code: request.query["code"], state: request.query["state"], issuer: request.query["iss"], error: request.query["error"])
        let errand = BrowserCookie.errand.value(request.headers, authority: request.authority)
        do {
            let (outcome, target) = try await provider.finish(answer, errand: errand, redirect: callback(request), from: visitor(request), at: request.now)
            var response = try await entered(outcome, target, request)
            if let field = BrowserCookie.errand.field(nil, for: request.headers, authority: request.authority) { response.headers.append(field) }
            return response
        } catch {
            return try await failed(error, request)
        }
    }

    private func failed(_ error: any Error, _ request: DoorRequest) async throws -> Response {
        request.logger.notice("a sign-in at the identity provider failed", metadata: ["reason": "\(error)"])
        return try await signInPage(request, FormFields(), fault: "providerFailed", status: .unprocessableContent)
    }
}
