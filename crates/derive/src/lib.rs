//! `#[derive(Facts)]` for [stagegate](https://docs.rs/stagegate). Use it through stagegate's feature `derive`.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Data, DeriveInput, Field, Fields, LitStr};

/// Makes a struct with named fields a request: each field says one thing, under its own name with `_` read as `-`, or
/// under the name in `#[facts("…")]`.
///
/// Names with a dot, and `now`, `trigger`, `action`, `requester`, `history` and `approvals`, are what every request has
/// (`build.id`, `current.at`, …); every other name is a fact that the policy declares. `#[facts(skip)]` leaves a field
/// out. What may stand in a field is said by the traits `Say…` of stagegate.
#[proc_macro_derive(Facts, attributes(facts))]
pub fn facts(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What a field says.
enum Says {
    Skip,
    Named(LitStr),
}

fn says(field: &Field) -> syn::Result<Says> {
    let mut said = None;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("facts")) {
        if said.is_some() {
            return Err(syn::Error::new_spanned(attribute, "one field says one thing"));
        }
        said = Some(attribute.parse_args_with(|input: syn::parse::ParseStream<'_>| {
            if input.peek(LitStr) {
                return input.parse().map(Says::Named);
            }
            let word: syn::Ident = input.parse()?;
            match word == "skip" {
                true => Ok(Says::Skip),
                false => Err(syn::Error::new(word.span(), "expected a name in quotes, or `skip`")),
            }
        })?);
    }
    match (said, &field.ident) {
        (Some(said), _) => Ok(said),
        (None, Some(ident)) => {
            let name = ident.to_string();
            let name = name.strip_prefix("r#").unwrap_or(&name).replace('_', "-");
            Ok(Says::Named(LitStr::new(&name, ident.span())))
        }
        (None, None) => Ok(Says::Skip),
    }
}

fn derive(input: &DeriveInput) -> syn::Result<Tokens> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            Fields::Unnamed(_) | Fields::Unit => {
                return Err(syn::Error::new_spanned(&input.ident, "`Facts` needs a struct with named fields"));
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            return Err(syn::Error::new_spanned(&input.ident, "`Facts` can be derived for structs only"));
        }
    };
    let (mut specs, mut fills, mut tells) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let Says::Named(name) = says(field)? else { continue };
        let (Some(ident), ty) = (&field.ident, &field.ty) else { continue };
        let index = specs.len();
        specs.push(quote! {
            ::stagegate::FactsField { name: #name, kind: <#ty as ::stagegate::Say>::KIND }
        });
        // What a stage does not read can be passed over once it is known which stage is asked for; and what people said
        // can be counted at once when the instant is known.
        let turn = match name.value().as_str() {
            "stage" => 0,
            "now" => 1,
            _ => 2,
        };
        fills.push((
            turn,
            quote! {
                if into.asks(#index) || !::stagegate::Say::in_order(&self.#ident) {
                    ::stagegate::Say::say(&self.#ident, &mut into.field(#index))?;
                }
            },
        ));
        tells.push(quote! { ::stagegate::Say::tell(&self.#ident, #name, request); });
    }
    fills.sort_by_key(|(turn, _)| *turn);
    let fills = fills.into_iter().map(|(_, fill)| fill);
    let name = &input.ident;
    let (generics, arguments, wheres) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::stagegate::Facts for #name #arguments #wheres {
            const FIELDS: &'static [::stagegate::FactsField] = &[#(#specs),*];
            fn fill(&self, into: &mut ::stagegate::FactsInto<'_, '_>) -> ::core::result::Result<(), ::stagegate::OutOfTheOrdinary> {
                #(#fills)*
                ::core::result::Result::Ok(())
            }
            fn tell(&self, request: &mut ::stagegate::Request) {
                #(#tells)*
            }
        }
    })
}
