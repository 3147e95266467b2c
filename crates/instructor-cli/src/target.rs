//! Whom to ask: from arguments and environment to a client.

use instructor::{ClientBuilder, Error, Profile};

use crate::args::{Protocol, Whom};
use crate::failure::Failure;
use crate::secret;

/// Stands in for the key of a request that is only shown.
const PLACEHOLDER: &str = "placeholder";

/// The client for a provider, of either kind, with its key. `builder` has all other settings; `sends` is whether it has to have a key.
pub(crate) fn client<C>(
    mut builder: ClientBuilder,
    whom: &Whom,
    sends: bool,
    build: impl FnOnce(ClientBuilder) -> Result<C, Error>,
) -> Result<C, Failure> {
    if let Some(url) = &whom.base_url {
        builder = builder.base_url(url);
    }
    let spec = whom.provider.as_deref().map(str::trim).filter(|spec| !spec.is_empty());
    let Some(spec) = spec else {
        return from_env(builder, whom, build);
    };
    let Some((mut profile, model)) = profile(spec, whom)? else {
        // The library says best what is wrong with it.
        let hint = "`instructor providers` lists the known ones; for any other endpoint add --base-url URL --protocol \
                    openai or --protocol anthropic";
        return build(builder.provider(spec)).map_err(|e| setup(&e).hint(hint));
    };
    if let Some(variable) = &whom.api_key_env {
        profile = profile.with_key_env(variable);
    }
    builder = match profile.key_env().find_map(secret::held) {
        Some(key) => builder.api_key(key),
        None if profile.is_keyless() => builder,
        None if !sends => builder.api_key(PLACEHOLDER),
        // Where others' credentials do, the library finds them, or says what is missing.
        None if profile.login_name().is_some() && whom.api_key_env.is_none() => builder,
        None => return Err(no_key(&profile, whom)),
    };
    build(builder.profile(profile).model(model)).map_err(|e| setup(&e))
}

/// Whatever the keys in the environment are for.
fn from_env<C>(
    builder: ClientBuilder,
    whom: &Whom,
    build: impl FnOnce(ClientBuilder) -> Result<C, Error>,
) -> Result<C, Failure> {
    if whom.api_key_env.is_some() || whom.protocol.is_some() {
        return Err(Failure::setup("--api-key-env and --protocol say nothing without --provider"));
    }
    let built = builder.from_env().and_then(build);
    built.map_err(|e| setup(&e).hint("or name one: --provider openai/gpt-5-mini"))
}

/// The profile and model of a spec; `None` if it names no known provider and no protocol either.
fn profile<'s>(spec: &'s str, whom: &Whom) -> Result<Option<(Profile, &'s str)>, Failure> {
    let Some((id, model)) = spec.split_once('/').filter(|(id, model)| !id.is_empty() && !model.is_empty()) else {
        return Ok(None);
    };
    let own = whom.protocol.zip(whom.base_url.as_deref()).map(|(protocol, url)| match protocol {
        Protocol::Openai => Profile::openai_compatible(id, url).with_batches(),
        Protocol::OpenaiResponses => Profile::openai_responses_compatible(id, url).with_batches(),
        Protocol::Anthropic => Profile::anthropic_compatible(id, url).with_batches(),
    });
    let known = Profile::named(id);
    if let (Some(known), Some(own)) = (&known, &own)
        && known.protocol() != own.protocol()
    {
        return Err(Failure::setup(format!("{id} speaks {}, not what --protocol says", known.protocol()))
            .hint("give an endpoint of your own another name: --provider my-endpoint/MODEL"));
    }
    Ok(known.or(own).map(|profile| (profile, model)))
}

/// The name in --api-key-env is not repeated: it may be the key itself, put there by mistake.
fn no_key(profile: &Profile, whom: &Whom) -> Failure {
    let missing = Failure::setup(format!("there is no key for {}", profile.id()));
    if whom.api_key_env.is_some() {
        return missing.hint("the variable that --api-key-env names is not set");
    }
    let variables = profile.key_env().collect::<Vec<_>>().join(" or ");
    missing.hint(format!("set {variables}, or name the variable that holds it with --api-key-env"))
}

fn setup(error: &Error) -> Failure {
    Failure::from_kind(error.kind(), error.to_string())
}
